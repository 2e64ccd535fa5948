"""How long users were without each capability, and where the time went: the `recovery` check's detail as bars.

The check tells the instants of the failover once, for the longest recovery of writing: when the loss was detected, a
successor decided on and promoted, and the first write got through; where a runbook moved the service to another region,
when it was declared lost and fenced off. A bar of the same fault is cut at those instants that lie inside it. One that
was whole again before the promotion did not wait for it, and says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from harness.rundir import Json
from reports.reading import Record
from reports.series import CAPABILITIES

#: In the order in which a recovery goes through them, by a failover or by the move to another region; the last two are
#: bars that are not cut. A check may tell other parts.
STEPS: Final = ("detected", "decided", "declared", "fenced", "promoted", "named", "routed")
PARTS: Final = (*STEPS, "unexplained", "confirmed", "without_failover", "whole")
#: What a time can be counted from: a fault, its undoing, a runbook, or the beginning of a run without faults.
KINDS: Final = ("fault", "undo", "run", "start")


@dataclass(frozen=True)
class Segment:
    """A part of a recovery, in seconds since the fault."""

    part: str
    from_s: float
    until_s: float


@dataclass(frozen=True)
class Recovery:
    """One capability at one carrier after one thing that was done. Nobody noticed where `segments` is empty.

    `kind` is fault, undo, run (a runbook) or start (a calm run). `rto_s` is None where it was never seen well again.
    """

    mark: str
    kind: str
    capability: str
    vantage: str
    rto_s: float | None
    limit_s: float | None
    segments: tuple[Segment, ...]


@dataclass(frozen=True)
class Effect:
    """A row of the check's detail. `inside`: the outage had begun before."""

    mark: str
    kind: str
    capability: str
    vantage: str
    rto_s: float | None
    restored_s: float | None
    inside: bool


def recoveries(record: Record, until_s: float, order: Sequence[str] = ()) -> list[Recovery]:
    """By mark, capability and carrier, these in the given order. What was never restored reaches to `until_s`, the
    end of the record."""
    effects = [effect for effect in map(_effect, _rows(record, "effects")) if effect]
    worst = _worst_write(effects)
    instants = _instants(record)
    found = []
    for effect in effects:
        if effect.kind in ("undo", "run") and effect.rto_s == 0:
            continue
        if effect.kind == "run" and effect.inside:  # the bar of the fault before it shows the same outage
            continue
        began_s = _began_s(record, effect)
        end_s = until_s - began_s if effect.rto_s is None else effect.rto_s
        same = worst is not None and effect.mark == worst.mark and effect.kind == "fault"
        cuts = [(part, at_s - began_s) for part, at_s in instants] if same else []
        segments = _segments(effect.capability, end_s, cuts)
        limit = None if effect.kind == "undo" else _limit(record, effect.capability)
        found.append(
            Recovery(
                effect.mark, effect.kind, effect.capability, effect.vantage, effect.rto_s, limit, segments
            )
        )
    marks = {mark: number for number, mark in enumerate(dict.fromkeys((one.mark, one.kind) for one in found))}
    return sorted(
        found,
        key=lambda one: (
            marks[one.mark, one.kind],
            _place(one.capability, CAPABILITIES),
            one.capability,
            _place(one.vantage, order),
        ),
    )


def _place(name: str, order: Sequence[str]) -> int:
    return order.index(name) if name in order else len(order)


def _segments(capability: str, end_s: float, cuts: Sequence[tuple[str, float]]) -> tuple[Segment, ...]:
    if end_s <= 0:
        return ()
    promoted_s = next((at_s for part, at_s in cuts if part == "promoted"), None)
    if promoted_s is None:
        return (Segment("whole", 0.0, end_s),)
    if end_s < promoted_s:
        return (Segment("without_failover", 0.0, end_s),)
    found, reached_s = [], 0.0
    # What got through first was a write; it says nothing of when another capability found its way.
    steps = [(part, at_s) for part, at_s in cuts if part != "routed" or capability == "write"]
    # That somebody made sure of it afterwards is no part of it.
    steps = [(part, at_s) for part, at_s in steps if part != "confirmed" or at_s <= end_s]
    for part, at_s in [*steps, ("unexplained", end_s)]:
        upto_s = min(max(at_s, reached_s), end_s)
        if upto_s > reached_s:
            found.append(Segment(part, reached_s, upto_s))
            reached_s = upto_s
    return tuple(found)


def _instants(record: Record) -> list[tuple[str, float]]:
    """When each part was over, in seconds since the timeline began, in that order; what was not seen is left out."""
    rows = [row for row in _rows(record, "parts") if isinstance(row, dict)]
    told = [(str(row.get("part")), _number(row.get("until_s"))) for row in rows]
    seen = [(part, at_s) for part, at_s in told if at_s is not None and part != "unexplained"]
    return sorted(seen, key=lambda each: each[1])


def _worst_write(effects: Sequence[Effect]) -> Effect | None:
    """The one whose parts the check tells: the longest recovery of writing after a fault."""
    writes = [effect for effect in effects if effect.capability == "write" and effect.kind == "fault"]
    return max(writes, key=lambda one: float("inf") if one.rto_s is None else one.rto_s, default=None)


def _began_s(record: Record, effect: Effect) -> float:
    """The zero of the bar, from which its RTO counts."""
    if effect.restored_s is not None and effect.rto_s is not None:
        return effect.restored_s - effect.rto_s
    kinds = (
        ("fault.injected", "fault.injecting") if effect.kind == "fault" else ("fault.undone", "fault.undoing")
    )
    name = "performance" if effect.kind == "run" else "fault"
    for kind in ("runbook.started",) if effect.kind == "run" else kinds:
        for event in record.events:
            if event.kind == kind and event.data.get(name) == effect.mark:
                return record.seconds(event.at_ns)
    return 0.0


def _effect(row: Json) -> Effect | None:
    if not isinstance(row, dict):
        return None
    rto_s, restored_s = (_number(row.get(key)) for key in ("rto_s", "restored_s"))
    mark, kind, capability, vantage = (
        str(row.get(key, "")) for key in ("mark", "kind", "capability", "vantage")
    )
    if kind not in KINDS:
        return None
    return Effect(mark, kind, capability, vantage, rto_s, restored_s, row.get("inside") is True)


def _limit(record: Record, capability: str) -> float | None:
    return _number(_part(_finding(record), "expected").get(f"{capability}_rto_s"))


def _rows(record: Record, name: str) -> list[Json]:
    rows = _part(_finding(record), "detail").get(name)
    return rows if isinstance(rows, list) else []


def _finding(record: Record) -> dict[str, Json]:
    return _part(_part(dict(record.verdict or {}), "checks"), "recovery")


def _part(whole: dict[str, Json], name: str) -> dict[str, Json]:
    part = whole.get(name)
    return part if isinstance(part, dict) else {}


def _number(value: Json) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
