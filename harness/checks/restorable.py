"""How old the newest restorable instant was over time: what would have been lost, had all databases been lost then.

Of the backup nodes that are there the best counts. One that stands in a domain that is lost is not there, and one
that shares a domain with the database that takes writes would be lost with it: it counts only while there is no other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from harness.checks.columns import Ints, ints, is_one_of
from harness.checks.recording import Recording

_WRITES: Final = ("answer", "write")
#: Faults that take away what is on the disks of their nodes, for as long as they last.
_LOSES: Final = ("lose", "fail")


@dataclass(frozen=True)
class Look:
    """What one backup node told at one time. `reached_ns` is None before it had anything."""

    at_ns: int
    node: str
    answered: bool
    reached_ns: int | None
    generations: tuple[str, ...]
    holes: tuple[str, ...]


@dataclass(frozen=True)
class Place:
    """Where a node stands. `enclosure` is None for a disk that it has for itself."""

    node: str
    role: str
    region: str
    zone: str
    enclosure: str | None

    def shares(self, other: Place) -> str:
        """The smallest domain that both are lost with; empty if there is none."""
        if self.enclosure is not None and self.enclosure == other.enclosure:
            return f"enclosure {self.enclosure}"
        if self.zone == other.zone:
            return f"zone {self.zone}"
        return f"region {self.region}" if self.region == other.region else ""


@dataclass(frozen=True)
class Age:
    """At a time: real seconds since the first acknowledged write that no backup had; 0 while there was none.

    `elsewhere`: a backup was there that shares no domain with the database that took writes.
    """

    at_ns: int
    real_s: float
    elsewhere: bool


def ages(
    recording: Recording, looks: Sequence[Look], keepers: Sequence[Place], databases: Sequence[Place]
) -> list[Age]:
    """At each look. Only while the timeline lasted: that is what the promise is for.

    A node that does not answer keeps what it had, unless it is lost.
    """
    began, ended = recording.first("timeline.started"), recording.first("timeline.ended")
    if began is None:
        return []
    acknowledged = _acknowledged(recording)
    standing = {place.node: place for place in keepers}
    writing = _Writing(recording, databases)
    lost = _lost(recording, standing)
    reached: dict[str, int] = {}
    found: list[Age] = []
    for look in sorted(looks, key=lambda each: each.at_ns):
        if look.answered and look.reached_ns is not None:
            reached[look.node] = look.reached_ns
        elif look.answered:
            reached.pop(look.node, None)  # it has nothing any more
        if look.at_ns < began.at_ns or (ended is not None and look.at_ns > ended.at_ns):
            continue
        there = [name for name in standing if not _within(look.at_ns, lost.get(name, []))]
        database = writing.at(look.at_ns)
        safe = [name for name in there if database is None or not standing[name].shares(database)]
        newest = max((reached[name] for name in safe or there if name in reached), default=began.at_ns)
        missing = acknowledged[np.searchsorted(acknowledged, newest, side="right") :][:1]
        age_ns = max(0, look.at_ns - int(missing[0])) if len(missing) else 0
        found.append(Age(look.at_ns, age_ns / 1e9, bool(safe)))
    return found


def without_s(found: Sequence[Age]) -> float:
    """Real seconds during which no backup was elsewhere than the database that took writes."""
    return sum(later.at_ns - age.at_ns for age, later in pairwise(found) if not age.elsewhere) / 1e9


class _Writing:
    """Which database took writes, over time."""

    def __init__(self, recording: Recording, databases: Sequence[Place]) -> None:
        table = recording.databases.sort_by("at_ns")
        table = table.filter(table.column("wrote"))
        self._at_ns, self._nodes = (
            ints(table, "at_ns"),
            [str(node) for node in table.column("node").to_pylist()],
        )
        self._places = {place.node: place for place in databases}

    def at(self, at_ns: int) -> Place | None:
        """The one that took the last write until then; None before there was one."""
        place = int(np.searchsorted(self._at_ns, at_ns, side="right")) - 1
        return self._places.get(self._nodes[place]) if place >= 0 else None


def _lost(recording: Recording, keepers: Mapping[str, Place]) -> Mapping[str, list[tuple[int, int | None]]]:
    """From when to when each backup node was lost with its domain; until None: to the end."""
    lost: dict[str, list[tuple[int, int | None]]] = {}
    for fault in recording.faults:
        for node in fault.nodes:
            if fault.verb in _LOSES and node in keepers:
                lost.setdefault(node, []).append((fault.injecting_ns, fault.undone_ns))
    return lost


def _within(at_ns: int, spans: Sequence[tuple[int, int | None]]) -> bool:
    return any(begin <= at_ns and (end is None or at_ns < end) for begin, end in spans)


def _acknowledged(recording: Recording) -> Ints:
    """When writes were acknowledged, in order."""
    found = [
        ints(table, "completed_ns")[is_one_of(table, "kind", *_WRITES) & is_one_of(table, "outcome", "ok")]
        for table in (recording.operations, recording.probes)
    ]
    return np.sort(np.concatenate(found))
