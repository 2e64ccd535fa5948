"""The access network that a carrier's handsets attach to: its blocks, and who is let in by which. No sockets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from harness.load import http1
from harness.rundir import Json
from topology.map import AccessNetwork, Map
from topology.platform.resolver_upstream import DNS_PORT
from topology.world.maps.areas import Areas
from topology.world.maps.card import proof

#: What the history calls the endpoint of a request that never left the handset, for want of a signal.
RADIO: Final = "radio"


class NotAttachedError(Exception):
    """A handset that its block did not let in, or that has no signal: nothing was sent to the service."""

    def __init__(self, block: str, why: str) -> None:
        self.block = block
        super().__init__(why)


class NothingHeardError(NotAttachedError):
    """Of its block nothing was heard at all."""


@dataclass(frozen=True, slots=True)
class Block:
    """One block: where sessions are asked for and where names are."""

    name: str
    host: str
    http: int
    dns: int = DNS_PORT

    @property
    def resolver(self) -> tuple[str, int]:
        return self.host, self.dns


@dataclass(frozen=True, slots=True)
class Steered:
    """Which block serves which area now; `by_hand`: a handset that was not let in waits for its owner."""

    areas: Areas
    by_hand: bool = False

    @classmethod
    def read(cls, body: bytes) -> Steered:
        """What the steering tells. Raises ValueError, KeyError or TypeError for anything else."""
        told = json.loads(body)
        areas = Areas(tuple(told["blocks"]), int(told["each"]), tuple(told["serving"]))
        if set(areas.serving) - set(areas.blocks) or len(areas.serving) != len(areas.blocks) * areas.each:
            raise ValueError("areas without a block")
        return cls(areas, told["reattach"] == "by-hand")

    def area(self, person: int) -> int:
        """Where somebody lives."""
        return person % len(self.areas.serving)


@dataclass(frozen=True, slots=True)
class Network:
    """`each`: the areas that a block is the home of; `key`: what its subscribers' cards are made with."""

    steering: tuple[str, int]
    blocks: tuple[Block, ...]
    each: int
    key: str

    @classmethod
    def of(cls, topology: Map, access: AccessNetwork, port: int) -> Network:
        """All of its nodes serve HTTP on that port."""
        nodes = [topology.nodes[name] for name in access.blocks]
        steering = topology.nodes[access.steering]
        return cls(
            (str(steering.address), port),
            tuple(Block(node.name, str(node.address), port) for node in nodes),
            int(steering.environment.get("AREAS_EACH", "10")),
            nodes[0].environment.get("SIM_KEY", ""),
        )

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> Network:
        """From what `dataclasses.asdict` made of one."""
        host, port = data["steering"]
        blocks = tuple(Block(**block) for block in data["blocks"])
        return cls((str(host), int(port)), blocks, int(data["each"]), str(data["key"]))

    def at_first(self) -> Steered:
        """Every area is served by its home, until the steering says something else."""
        return Steered(Areas.at_home([block.name for block in self.blocks], self.each))

    def block(self, name: str) -> Block:
        return next(block for block in self.blocks if block.name == name)

    def session(self, subscriber: int) -> dict[str, Json]:
        """What a handset says when it wants to be let in."""
        return {"subscriber": subscriber, "proof": proof(self.key, subscriber)}

    def taken_for(self, body: bytes) -> int | None:
        """For whom the network takes the owner of a new session, by what it told; None: for nobody, or untold."""
        try:
            subscriber = json.loads(body)["subscriber"]
        except (ValueError, KeyError, TypeError):
            return None
        return subscriber if isinstance(subscriber, int) else None

    def ask_for_session(self, block: Block, subscriber: int, *, close: bool = False) -> bytes:
        body = json.dumps(self.session(subscriber)).encode()
        return http1.post("/sessions", block.host, body, "application/json", close=close)
