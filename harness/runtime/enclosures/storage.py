"""What the storage enclosures of a run are made of: file systems of their own, or folders where those cannot be.

Both keep the volumes of an enclosure together and take them away together. Only a file system of its own can fail
under a program that goes on running.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from harness.failure import Failure
from harness.runtime import NodeFailed


class Storage(Protocol):
    """All enclosures of a run. An error names the enclosure (`NodeFailed`)."""

    kind: str
    failures: frozenset[Failure]

    def make(self, volumes: Mapping[str, Sequence[str]]) -> None:
        """The enclosures by name, each with folders for its volumes. Raises OSError where that is not allowed."""

    def folder(self, enclosure: str, volume: str) -> Path:
        """Where a volume lies."""

    def hidden(self) -> Sequence[Path]:
        """The mounts that a node must not see, beyond the volumes that it has been given by then."""

    def fail(self, enclosure: str, how: Failure) -> None: ...

    def repair(self, enclosure: str) -> None:
        """Bring back what was durable. No program may use the enclosure any more."""

    def close(self) -> None: ...


class Folders:
    """An enclosure is a folder. It can be taken away from nodes that do not run, and given back."""

    kind = "folders"
    failures = frozenset({Failure.BROKEN, Failure.OFFLINE})

    def __init__(self, place: Path) -> None:
        self._place = place

    def make(self, volumes: Mapping[str, Sequence[str]]) -> None:
        for enclosure, names in volumes.items():
            for volume in names:
                (self._place / enclosure / volume).mkdir(parents=True, exist_ok=True)

    def folder(self, enclosure: str, volume: str) -> Path:
        return self._place / enclosure / volume

    def hidden(self) -> Sequence[Path]:
        return ()

    def fail(self, enclosure: str, how: Failure) -> None:
        if how not in self.failures:
            raise NodeFailed(enclosure, f"it cannot be made {how.value} here: its storage is a folder")
        if (self._place / enclosure).exists():
            (self._place / enclosure).rename(self._taken(enclosure))

    def repair(self, enclosure: str) -> None:
        if self._taken(enclosure).exists():
            self._taken(enclosure).rename(self._place / enclosure)

    def close(self) -> None:
        """Folders stay until somebody removes them."""

    def _taken(self, enclosure: str) -> Path:
        return self._place / f".{enclosure}.taken"
