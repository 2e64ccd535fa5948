"""How a carrier's people reach the service and their mail: addresses and ports, taken from the topology."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from topology.map import Map

#: Where carrier mail nodes and the other programs of ours serve HTTP.
HTTP_PORT: Final = 8000


@dataclass(frozen=True, slots=True)
class Entrance:
    """One way into the service through a carrier's link: an address and its two ports."""

    name: str
    host: str
    http: int
    https: int


@dataclass(frozen=True, slots=True)
class Access:
    """One carrier: its share of the people, its entrances, and the HTTP address and port of its mail node."""

    carrier: str
    share: float
    entrances: tuple[Entrance, ...]
    mail: tuple[str, int]

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> Access:
        """From what `dataclasses.asdict` made of one."""
        host, port = data["mail"]
        entrances = tuple(Entrance(**entrance) for entrance in data["entrances"])
        return cls(data["carrier"], float(data["share"]), entrances, (host, int(port)))


def of(topology: Map) -> tuple[Access, ...]:
    """Every carrier's access, by address: names would be resolved again for every connection."""
    return tuple(
        Access(
            carrier.name,
            carrier.share,
            tuple(
                Entrance(e.name, str(topology.nodes[carrier.link].address), e.http, e.https)
                for e in carrier.entrances
            ),
            (str(topology.nodes[carrier.mail].address), HTTP_PORT),
        )
        for carrier in topology.carriers.values()
    )
