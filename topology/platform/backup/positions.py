"""Positions in the write-ahead log: segments, timelines, and which segment of which timeline a restore reads. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Final

_LSN: Final = re.compile(r"([0-9A-F]{1,8})/([0-9A-F]{1,8})", re.IGNORECASE)
_SEGMENT: Final = re.compile(r"[0-9A-F]{24}")
_FOUR_GIB: Final = 1 << 32


@dataclass(frozen=True, order=True)
class Segment:
    """One file of the log. `number` counts from the log's beginning, whatever the timeline."""

    timeline: int
    number: int

    def name(self, size: int) -> str:
        """As PostgreSQL names the file, where a segment has `size` bytes."""
        high, low = divmod(self.number, _FOUR_GIB // size)
        return f"{self.timeline:08X}{high:08X}{low:08X}"


@dataclass(frozen=True)
class Switch:
    """`timeline` began at `begin` in the log of `parent`."""

    timeline: int
    parent: int
    begin: int


def lsn(text: str) -> int:
    """`16/B374D848` in bytes since the log's beginning. Raises ValueError."""
    found = _LSN.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is no position in the log")
    return (int(found[1], 16) << 32) + int(found[2], 16)


def as_text(position: int) -> str:
    return f"{position >> 32:X}/{position & 0xFFFFFFFF:X}"


def segment(name: str, size: int) -> Segment:
    """The segment of a file name. Raises ValueError for any other file."""
    if not _SEGMENT.fullmatch(name):
        raise ValueError(f"{name!r} is no segment of the log")
    timeline, high, low = (int(name[at : at + 8], 16) for at in (0, 8, 16))
    return Segment(timeline, high * (_FOUR_GIB // size) + low)


def switches(timeline: int, history: str) -> list[Switch]:
    """What a timeline's history file tells, oldest first: how one came from another up to this one."""
    told = [line.split("#")[0].split()[:2] for line in history.splitlines() if line.strip()[:1].isdigit()]
    parents = [int(parent) for parent, _ in told]
    children = [*parents[1:], timeline]
    return [
        Switch(child, parent, lsn(begin))
        for child, parent, (_, begin) in zip(children, parents, told, strict=True)
    ]


def chain(latest: int, histories: Mapping[int, str]) -> list[Switch]:
    """How the latest timeline came about; empty for one that nobody knows the history of (the first)."""
    return switches(latest, histories[latest]) if latest in histories else []


def owner(number: int, latest: int, steps: Sequence[Switch], size: int) -> int:
    """The timeline whose file of this segment a restore to the latest timeline reads: the newest that has one."""
    for step in reversed(steps):
        if step.begin // size <= number:
            return step.timeline
    return steps[0].parent if steps else latest


def next_after_fork(mine: Sequence[Switch], theirs: Sequence[Switch], size: int) -> Segment | None:
    """The first segment that one who followed `mine` lacks of the log that came about by `theirs`.

    None: theirs is a part of mine; who goes on with it would go back.
    """
    common = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(mine, theirs, strict=False)))
    if common == len(theirs):
        return None
    step = theirs[common]
    if common < len(mine) and mine[common].begin < step.begin:
        return Segment(step.parent, mine[common].begin // size)
    return Segment(step.timeline, step.begin // size)


def holes(
    present: Iterable[Segment], first: int, last: int, latest: int, steps: Sequence[Switch], size: int
) -> list[Segment]:
    """The segments from `first` to `last` (both included) that a restore would look for and not find."""
    there = set(present)
    needed = (Segment(owner(number, latest, steps, size), number) for number in range(first, last + 1))
    return [each for each in needed if each not in there]
