"""The toxics that are on a proxy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import cached_property

from topology.platform.proxy.toxics.toxic import Buffered, Stateful, Toxic


class Direction(Enum):
    """Which bytes: from the client to the server, or from the server to the client."""

    UPSTREAM = "upstream"
    DOWNSTREAM = "downstream"


@dataclass(frozen=True)
class ActiveToxic:
    """One toxic as it was put on a proxy. `stream` is the direction as the request spelt it."""

    name: str
    type: str
    stream: str
    toxicity: float
    toxic: Toxic

    @cached_property
    def buffer_bytes(self) -> int:
        """How much may wait before it, on each connection."""
        return self.toxic.BUFFER_BYTES if isinstance(self.toxic, Buffered) else 0

    @cached_property
    def new_state(self) -> Callable[[], object]:
        """What it starts each connection with."""
        return self.toxic.new_state if isinstance(self.toxic, Stateful) else _nothing

    @property
    def direction(self) -> Direction:
        return Direction(self.stream.lower())


def _nothing() -> None:
    return None
