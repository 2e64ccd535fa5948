"""The archive of the log on the node's disk: whole segments, and of the newest one the pieces as they come in.

Every file is sealed, but for the histories of timelines and `reached.json`: they hold positions and times, no data.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from topology.platform.backup import positions
from topology.platform.backup.positions import Segment, Switch
from topology.platform.backup.sealed import SUFFIX, Key, Unreadable
from topology.platform.durable import sync_folder, write

_PIECE: Final = re.compile(r"([0-9A-F]{24})\.([0-9]+)-([0-9]+)\.age")
_HISTORY: Final = re.compile(r"([0-9A-F]{8})\.history")


@dataclass(frozen=True)
class Reached:
    """Everything that was acknowledged before `instant` (wall clock, ISO) is in the archive, up to `lsn`.

    `at_ns` is the same instant as CLOCK_MONOTONIC nanoseconds of this host, `source` the server that was read.
    """

    lsn: str
    instant: str
    at_ns: int
    source: str
    segment_size: int


@dataclass(frozen=True)
class Extent:
    """What there is of the log on the way to its newest end. `first`, `last`: segments; `holes` between them."""

    first: Segment
    last: Segment
    holes: tuple[Segment, ...]
    size: int

    def names(self) -> Mapping[str, object]:
        return {
            "first": self.first.name(self.size),
            "last": self.last.name(self.size),
            "holes": [hole.name(self.size) for hole in self.holes],
        }


class Archive:
    """`size` is that of a segment, which is the cluster's for its whole life."""

    def __init__(self, folder: Path, key: Key, size: int) -> None:
        self.folder, self.size, self._key = folder / "log", size, key
        self._reached = folder / "reached.json"

    def open(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)

    # -- putting in --------------------------------------------------------------------------------------------

    def add_whole(self, name: str, data: bytes) -> None:
        self._key.seal_bytes(data, self.folder / f"{name}{SUFFIX}")
        for piece in self.folder.glob(f"{name}.*-*{SUFFIX}"):
            piece.unlink()

    def add_piece(self, name: str, begin: int, data: bytes) -> None:
        self._key.seal_bytes(data, self.folder / f"{name}.{begin}-{begin + len(data)}{SUFFIX}")

    def add_history(self, name: str, text: str) -> None:
        if not (self.folder / name).exists():
            write(self.folder / name, text.encode())

    def reach(self, reached: Reached) -> None:
        write(self._reached, json.dumps(asdict(reached)).encode())

    def discard_before(self, number: int) -> None:
        """Segments below this number; no generation needs them any more."""
        for name, segment in self._segments().items():
            if segment.number < number:
                (self.folder / name).unlink(missing_ok=True)
        sync_folder(self.folder)

    # -- what is there -----------------------------------------------------------------------------------------

    def reached(self) -> Reached | None:
        return read_reached(self._reached)

    def has(self, name: str) -> bool:
        return (self.folder / f"{name}{SUFFIX}").exists()

    def piece_end(self, name: str) -> int:
        """Up to which byte of this segment there are pieces."""
        found = (_PIECE.fullmatch(path.name) for path in self.folder.glob(f"{name}.*-*{SUFFIX}"))
        return max((int(each[3]) for each in found if each), default=0)

    def histories(self) -> dict[int, str]:
        found = (_HISTORY.fullmatch(path.name) for path in self.folder.glob("*.history"))
        return {int(each[1], 16): (self.folder / each[0]).read_text() for each in found if each}

    def newest(self) -> Segment | None:
        """The newest segment of the newest timeline, whole or in pieces."""
        return max(self._segments().values(), default=None)

    def whole(self) -> set[Segment]:
        return {segment for name, segment in self._segments().items() if not _PIECE.fullmatch(name)}

    def chain(self) -> tuple[int, list[Switch]]:
        """The newest timeline of which there is anything, and how it came about.

        A history comes in before the log that it tells of, which is no hole as long as nothing came after it.
        """
        newest = self.newest()
        latest = newest.timeline if newest else 1
        return latest, positions.chain(latest, self.histories())

    def extent(self, first: int | None = None) -> Extent | None:
        """From segment number `first`, or the oldest there is, to the newest. None where there is nothing."""
        newest = self.newest()
        if newest is None:
            return None
        latest, steps = self.chain()
        present = self.whole() | {newest}
        start = min(each.number for each in present) if first is None else first
        missing = positions.holes(present, start, newest.number, latest, steps, self.size)
        begin = Segment(positions.owner(start, latest, steps, self.size), start)
        return Extent(begin, newest, tuple(missing), self.size)

    def _segments(self) -> dict[str, Segment]:
        """File name -> segment."""
        found = {}
        for path in self.folder.glob(f"*{SUFFIX}"):
            with suppress(ValueError):
                found[path.name] = positions.segment(path.name.partition(".")[0], self.size)
        return found

    # -- taking out --------------------------------------------------------------------------------------------

    def unseal(self, into: Path, first: int) -> int:
        """Put the log from segment number `first` into a folder, as plain files. How many segments.

        A segment in pieces is filled up with zeroes, which is where a replay of it ends. Raises Unreadable.
        """
        into.mkdir(parents=True, exist_ok=True)
        latest, _ = self.chain()
        for timeline, history in self.histories().items():
            if timeline <= latest:
                (into / f"{timeline:08X}.history").write_text(history)
        names: set[str] = set()
        for name, segment in sorted(self._segments().items(), key=lambda each: each[1]):
            if segment.number >= first:
                self._unseal(name, into)
                names.add(name.partition(".")[0])
        for name in names:  # a segment that became whole meanwhile took its pieces away
            if not (into / name).exists() or self.has(name):
                self._unseal(f"{name}{SUFFIX}", into)
        return len(names)

    def _unseal(self, name: str, into: Path) -> None:
        try:
            data = self._key.open_bytes(self.folder / name)
        except FileNotFoundError:
            return  # a piece whose segment has become whole
        piece = _PIECE.fullmatch(name)
        if piece is None:
            (into / name.removesuffix(SUFFIX)).write_bytes(data)
            return
        target = into / piece[1]
        if self.has(piece[1]):
            return
        if not target.exists():
            target.write_bytes(bytes(self.size))
        with target.open("r+b") as file:
            file.seek(int(piece[2]))
            file.write(data)


def read_reached(path: Path) -> Reached | None:
    try:
        return Reached(**json.loads(path.read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None


__all__ = ["Archive", "Extent", "Reached", "Unreadable", "read_reached"]
