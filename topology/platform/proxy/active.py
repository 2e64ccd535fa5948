"""The toxics that are on a proxy."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from topology.platform.proxy.toxics.toxic import Toxic


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

    @property
    def direction(self) -> Direction:
        return Direction(self.stream.lower())
