"""Where a program stands: the name of its node, its zone, its disk."""

from __future__ import annotations

import os
import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Place:
    """`data` outlives the node's end; `scratch` does not."""

    node: str
    zone: str
    data: Path
    scratch: Path

    @property
    def region(self) -> str:
        return self.zone.partition(".")[0]

    @classmethod
    def here(cls) -> Place:
        environment = os.environ
        return cls(
            node=environment.get("NODE") or socket.gethostname(),
            zone=environment.get("ZONE", ""),
            data=Path(environment.get("DATA", "/mnt/data")),
            scratch=Path(tempfile.gettempdir()),
        )


def names(variable: str, *, least: int = 1) -> tuple[str, ...]:
    """The comma-separated names in an environment variable. Raises SystemExit if there are fewer than `least`."""
    found = tuple(name.strip() for name in os.environ.get(variable, "").split(",") if name.strip())
    if len(found) < least:
        raise SystemExit(f"{variable} is not set; it must name at least one node")
    return found
