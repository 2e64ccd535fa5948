"""Failover: who was primary when. At no instant two nodes take writes; one timeline step per failover."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations, pairwise
from typing import Final

from harness.checks.expectations import expectations
from harness.checks.recording import Recording
from harness.checks.reigns import Look, Reign, looks_of, reigns_of
from harness.checks.returns import Return, returns
from harness.checks.terms import Breach, Term, conclude, fail, units, unknown
from harness.rundir import Json
from harness.rundir.verdict import Finding

TERMS: Final = {
    "primaries": Term("count", "primaries", "at most", "nodes that took writes at one instant", default=1),
    "failovers": Term("count", "failovers", "exactly", "failovers"),
    "standbys": Term("count", "standbys_at_end", "at least", "standbys at the end"),
    "returned": Term(
        "count", "returned", "at least", "lost primaries that came back after they were replaced"
    ),
    "diverged": Term(
        "count", "diverged", "at least", "of them those that had acknowledged what their successor never had"
    ),
    "returned_writes": Term(
        "count", "returned_writes", "at most", "writes that they took before they had rejoined", default=0
    ),
}
EXPECTS: Final = units(TERMS)
MOST_EVIDENCE: Final = 100


def check(recording: Recording) -> Finding:
    looks = looks_of(recording)
    reigns = sorted(reigns_of(looks), key=lambda reign: (reign.from_ns, reign.until_ns))
    steps = [
        (old, new) for old, new in pairwise(reigns) if old.node != new.node or new.timeline > old.timeline > 0
    ]
    last = {look.node: look for look in looks}
    back = list(returns(recording, looks, reigns))
    measured: dict[str, Json] = {
        "primaries": _most_at_once(reigns) if reigns else None,
        "claimed_primaries": _most_claimed(looks),
        "failovers": len(steps) if reigns else None,
        "timeline_steps": _timeline_steps(reigns),
        "primary_at_end": next((node for node, look in last.items() if look.role == "primary"), None),
        "standbys_at_end": sum(look.role == "replica" for look in last.values()),
        "returned": len(back),
        "returned_asked": sum(each.asked for each in back),
        "returned_writes": sum(each.taken for each in back),
        "diverged": sum(each.diverged for each in back),
    }
    shows_nothing = _shows_nothing(measured, recording.stated("failover"), back)
    held = expectations(
        recording, "failover", TERMS, measured, judged=[breach.term for breach in shows_nothing]
    )
    breaches = [
        *held.breaches,
        *shows_nothing,
        *_wrong_steps(steps),
        *_usurpers(recording, reigns, last),
    ]
    if not looks:
        breaches = [unknown("nobody watched the databases")]
    overlaps = [
        pair for pair in combinations(reigns, 2) if pair[0].node != pair[1].node and pair[0].overlaps(pair[1])
    ]
    wrong = [each.row(recording) for each in back if each.taken]
    wrong += [_overlap_row(recording, *pair) for pair in overlaps]
    evidence = wrong or [reign.row(recording) for reign in reigns]
    return Finding(
        *conclude(breaches, _well(measured, reigns)),
        measured,
        held.expected,
        tuple(evidence[:MOST_EVIDENCE]),
        {
            "reigns": [reign.row(recording) for reign in reigns],
            "returns": [each.row(recording) for each in back],
        },
    )


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


def _shows_nothing(
    measured: Mapping[str, Json], stated: Mapping[str, Json], back: Sequence[Return]
) -> list[Breach]:
    """Where nobody came back as the scenario wants it, or nobody was asked: that nothing was taken proves nothing."""
    breaches = []
    for term in ("returned", "diverged"):
        got, want = measured[term], stated.get(term)
        if isinstance(got, int) and isinstance(want, int | float) and got < want:
            breaches.append(
                unknown(f"{TERMS[term].says}: {got}, and {want:g} are needed to show anything", term)
            )
    if "returned" in stated and any(not each.asked for each in back):
        breaches.append(unknown("nobody asked the primary that came back whether it takes writes"))
    return breaches


def _overlap_row(recording: Recording, one: Reign, other: Reign) -> Json:
    return {
        "what": "two primaries",
        "nodes": [one.node, other.node],
        "from_s": recording.at_s(max(one.from_ns, other.from_ns)),
        "until_s": recording.at_s(min(one.until_ns, other.until_ns)),
        "timelines": [one.timeline, other.timeline],
    }


def _well(measured: Mapping[str, Json], reigns: Sequence[Reign]) -> str:
    order = [reign.node for reign in reigns]
    nodes = [node for at, node in enumerate(order) if at == 0 or order[at - 1] != node]
    count = measured["failovers"]
    times = "no failover" if count == 0 else "one failover" if count == 1 else f"{count} failovers"
    told = f"never two primaries, {times}: {', then '.join(nodes)}"
    if asked := measured["returned_asked"]:
        told += f"; what came back was looked at {asked} times and took no write before it had rejoined"
    return told
