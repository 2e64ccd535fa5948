"""An access network as real programs on loopback: a steering, and two blocks with a storage controller each."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from harness.load.network import Block, Network
from tests.topology.world.program import Program

KEY = "the-tests'-cards"
HOME, OTHER = "maps-msf", "maps-msb"
NOTHING_ELSE: Final[Mapping[str, str]] = {}
#: So slow, and so impatient, that nearly everybody is let in before their address is registered.
LETS_IN_AT_ONCE: Final = {"SESSIONS_AT_ONCE": "1", "SESSION_SETUP_MS": "30", "LET_IN_AFTER_MS": "1"}


@dataclass(frozen=True)
class Stands:
    """`blocks` and their `storage` by the block's name. OTHER's areas come first: 0 and 1, then those of HOME."""

    network: Network
    steering: Program
    blocks: dict[str, Program]
    storage: dict[str, Program]

    def widen(self, areas: int) -> None:
        """OTHER lets so many of HOME's areas in."""
        asked = {"widen": OTHER, "of": HOME, "areas": areas}
        assert self.steering.ask("/areas", json.dumps(asked).encode(), "PUT")[0] == 200

    def state(self, block: str) -> Any:
        return self.blocks[block].get("/state")


@contextmanager
def standing(
    folder: Path, name_server: int, blocks_have: Mapping[str, str] = NOTHING_ELSE, **environment: str
) -> Iterator[Stands]:
    """`name_server`: the port of the domain's own. `blocks_have`: settings of the blocks; others are the steering's."""
    with ExitStack() as stack:

        def start(module: str, name: str, **settings: str) -> Program:
            program = Program(f"topology.world.maps.{module}", folder / name, NODE=name, **settings)
            stack.callback(program.kill)
            return program

        steering = start("steering", "maps-steering", BLOCKS=f"{OTHER},{HOME}", AREAS_EACH="2", **environment)
        storage = {name: start("storage", f"{name}-1") for name in (OTHER, HOME)}
        blocks = {
            name: start(
                "block",
                name,
                PATHS=f"127.0.0.1:{storage[name].port}",
                DNS_SERVER=f"127.0.0.1:{name_server}",
                SIM_KEY=KEY,
                **{"SESSION_SETUP_MS": "5", **blocks_have},
            )
            for name in (OTHER, HOME)
        }
        known = tuple(Block(name, "127.0.0.1", each.port, each.dns_port) for name, each in blocks.items())
        yield Stands(Network(("127.0.0.1", steering.port), known, 2, KEY), steering, blocks, storage)
