"""How long users were without each capability, and where the time went: the `recovery` check's detail as bars.

The check tells, of each fault and capability, how long each step took at the carrier that was without it longest:
until the loss was detected, a successor decided on and promoted, and the first of that capability's users got through;
where a runbook moved the service to another region, until it was declared lost and fenced off. The bars of that
capability are cut at those instants that lie inside them. One that was whole again before the promotion did not wait
for it, and says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from harness.rundir import Json
from reports.reading import Record, inside
from reports.series import CAPABILITIES

CHECK: Final = "recovery"
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
    cuts = _cuts(record)
    found = []
    for effect in effects:
        if effect.kind in ("undo", "run") and effect.rto_s == 0:
            continue
        if effect.kind == "run" and effect.inside:  # the bar of the fault before it shows the same outage
            continue
        began_s = _began_s(record, effect)
        end_s = until_s - began_s if effect.rto_s is None else effect.rto_s
        told = cuts.get((effect.mark, effect.capability)) if effect.kind == "fault" else None
        segments = _segments(end_s, told)
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


def _segments(end_s: float, cuts: Sequence[tuple[str, float]] | None) -> tuple[Segment, ...]:
    """The parts of one bar; `cuts` is when each was over, None where no check has told any."""
    if end_s <= 0:
        return ()
    if not cuts:
        return (Segment("whole", 0.0, end_s),)
    found, reached_s = [], 0.0
    # That somebody made sure of it afterwards is no part of it.
    steps = [(part, at_s) for part, at_s in cuts if part != "confirmed" or at_s <= end_s]
    for part, at_s in [*steps, ("unexplained", end_s)]:
        upto_s = min(max(at_s, reached_s), end_s)
        if upto_s > reached_s:
            found.append(Segment(part, reached_s, upto_s))
            reached_s = upto_s
    return tuple(found)


def _cuts(record: Record) -> dict[tuple[str, str], list[tuple[str, float]]]:
    """Mark and capability -> when each part that was seen was over, in seconds since the fault, in that order."""
    rows = [row for row in _rows(record, "parts") if isinstance(row, dict)]
    gave_way = {str(row.get("mark")) for row in rows if _number(row.get("promoted_s")) is not None}
    found: dict[tuple[str, str], list[tuple[str, float]]] = {}
    for row in rows:
        mark, cuts, reached_s = str(row.get("mark")), [], 0.0
        waited = _number(row.get("promoted_s")) is not None
        for key, value in row.items():
            part, seconds = key.removesuffix("_s"), _number(value)
            if not key.endswith("_s") or part in ("rto", "unexplained") or seconds is None:
                continue
            reached_s += seconds
            kept = part == "routed" and not waited and mark in gave_way
            cuts.append(("without_failover" if kept else part, reached_s))
        found[mark, str(row.get("capability"))] = cuts
    return found


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
    return _number(inside(record.finding(CHECK), "expected").get(f"{capability}_rto_s"))


def _rows(record: Record, name: str) -> list[Json]:
    rows = record.detail(CHECK).get(name)
    return rows if isinstance(rows, list) else []


def _number(value: Json) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
