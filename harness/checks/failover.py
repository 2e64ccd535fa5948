"""Failover: who was primary when. At no instant two nodes take writes; one timeline step per failover."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, pairwise
from typing import Final

from harness.checks.columns import ints, texts
from harness.checks.expectations import expectations
from harness.checks.recording import Recording
from harness.checks.terms import Breach, Term, conclude, fail, units, unknown
from harness.rundir import Json
from harness.rundir.verdict import Finding

TERMS: Final = {
    "primaries": Term("count", "primaries", "at most", "nodes that took writes at one instant", default=1),
    "failovers": Term("count", "failovers", "exactly", "failovers"),
    "standbys": Term("count", "standbys_at_end", "at least", "standbys at the end"),
}
EXPECTS: Final = units(TERMS)
MOST_EVIDENCE: Final = 100


@dataclass(frozen=True)
class Look:
    """One observation of one node."""

    at_ns: int
    node: str
    role: str
    timeline: int
    wrote: bool


@dataclass(frozen=True)
class Reign:
    """One node took writes, from the first acknowledgement to the last that nothing interrupted.

    `timeline` is 0 where nobody knows.
    """

    node: str
    from_ns: int
    until_ns: int
    timeline: int

    def overlaps(self, other: Reign) -> bool:
        """Whether one of them acknowledged a write while the other was in the midst of doing so."""
        return max(self.from_ns, other.from_ns) <= min(self.until_ns, other.until_ns)

    def row(self, recording: Recording) -> Json:
        return {
            "node": self.node,
            "from_s": recording.at_s(self.from_ns),
            "until_s": recording.at_s(self.until_ns),
            "timeline": self.timeline,
        }


def check(recording: Recording) -> Finding:
    looks = _looks(recording)
    reigns = sorted(_reigns(looks), key=lambda reign: (reign.from_ns, reign.until_ns))
    steps = [
        (old, new) for old, new in pairwise(reigns) if old.node != new.node or new.timeline > old.timeline > 0
    ]
    last = {look.node: look for look in looks}
    measured: dict[str, Json] = {
        "primaries": _most_at_once(reigns) if reigns else None,
        "claimed_primaries": _most_claimed(looks),
        "failovers": len(steps) if reigns else None,
        "timeline_steps": _timeline_steps(reigns),
        "primary_at_end": next((node for node, look in last.items() if look.role == "primary"), None),
        "standbys_at_end": sum(look.role == "replica" for look in last.values()),
    }
    held = expectations(recording, "failover", TERMS, measured)
    breaches = [*held.breaches, *_wrong_steps(steps), *_usurpers(recording, reigns, last)]
    if not looks:
        breaches = [unknown("nobody watched the databases")]
    overlaps = [
        pair for pair in combinations(reigns, 2) if pair[0].node != pair[1].node and pair[0].overlaps(pair[1])
    ]
    evidence = [_overlap_row(recording, *pair) for pair in overlaps] or [
        reign.row(recording) for reign in reigns
    ]
    return Finding(
        *conclude(breaches, _well(measured, reigns)),
        measured,
        held.expected,
        tuple(evidence[:MOST_EVIDENCE]),
        {"reigns": [reign.row(recording) for reign in reigns]},
    )


def _looks(recording: Recording) -> list[Look]:
    table = recording.databases.sort_by("at_ns")
    columns = (
        ints(table, "at_ns").tolist(),
        texts(table, "node"),
        texts(table, "role"),
        ints(table, "timeline").tolist(),
        [bool(value) for value in table.column("wrote").to_pylist()],
    )
    return [Look(*row) for row in zip(*columns, strict=True)]


def _reigns(looks: Sequence[Look]) -> Iterator[Reign]:
    """Each node's unbroken runs of acknowledged writes; a new timeline is a new reign.

    Nothing is added at either end: between two acknowledgements the node may at any instant have taken a write.
    """
    for node in dict.fromkeys(look.node for look in looks):
        current: list[Look] = []
        before = 0
        for look in (look for look in looks if look.node == node):
            stepped = bool(current) and look.timeline > current[-1].timeline > 0
            if current and (not look.wrote or stepped):
                yield _reign(current)
                current = []
            if look.wrote and look.role == "primary":
                current.append(look)
            elif (
                look.wrote
            ):  # taken before it ceased to be primary: at the latest look that still called it so
                current.append(replace(look, at_ns=before or look.at_ns))
            before = look.at_ns
        if current:
            yield _reign(current)


def _reign(looks: Sequence[Look]) -> Reign:
    return Reign(looks[0].node, looks[0].at_ns, looks[-1].at_ns, max(look.timeline for look in looks))


def _most_at_once(reigns: Sequence[Reign]) -> int:
    """The most nodes in the midst of taking writes at any instant."""
    return max(
        len({other.node for other in reigns if other.from_ns <= reign.from_ns <= other.until_ns})
        for reign in reigns
    )


def _most_claimed(looks: Sequence[Look]) -> int:
    """The most nodes that said to be primary, each as of its latest look; it is no failure to say so in vain."""
    latest: dict[str, str] = {}
    most = 0
    for look in looks:
        latest[look.node] = look.role
        most = max(most, sum(role == "primary" for role in latest.values()))
    return most


def _timeline_steps(reigns: Sequence[Reign]) -> int | None:
    known = [reign.timeline for reign in reigns if reign.timeline > 0]
    return max(known) - min(known) if known else None


def _wrong_steps(steps: Sequence[tuple[Reign, Reign]]) -> list[Breach]:
    """Each failover opens the next timeline, and only that."""
    return [
        fail(
            f"{old.node} gave way to {new.node} with {new.timeline - old.timeline} timeline steps instead of 1"
        )
        for old, new in steps
        if old.timeline > 0 and new.timeline > 0 and new.timeline - old.timeline != 1
    ]


def _usurpers(recording: Recording, reigns: Sequence[Reign], last: dict[str, Look]) -> list[Breach]:
    """Former primaries that still say to be primary at the end."""
    if not reigns:
        return []
    former = {reign.node for reign in reigns} - {reigns[-1].node}
    say = fail if recording.whole else unknown
    return [
        say(f"{node}, once primary, never became a standby again")
        for node in sorted(former)
        if last[node].role == "primary"
    ]


def _overlap_row(recording: Recording, one: Reign, other: Reign) -> Json:
    return {
        "what": "two primaries",
        "nodes": [one.node, other.node],
        "from_s": recording.at_s(max(one.from_ns, other.from_ns)),
        "until_s": recording.at_s(min(one.until_ns, other.until_ns)),
        "timelines": [one.timeline, other.timeline],
    }


def _well(measured: dict[str, Json], reigns: Sequence[Reign]) -> str:
    order = [reign.node for reign in reigns]
    nodes = [node for at, node in enumerate(order) if at == 0 or order[at - 1] != node]
    count = measured["failovers"]
    times = "no failover" if count == 0 else "one failover" if count == 1 else f"{count} failovers"
    return f"never two primaries, {times}: {', then '.join(nodes)}"
