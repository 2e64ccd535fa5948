"""A rehearsal: whether the runbook was followed, who did what when, and what each deviation cost.

A hold point that was skipped is a failure: what it is to prevent was possible from then on. Whether the service came
back in time the other checks say. A rehearsal that was abandoned proves nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from harness.checks.costs import Costs
from harness.checks.deviations import Deviation, Kind, Taken, deviations, taken
from harness.checks.expectations import asked, expectations
from harness.checks.recording import Recording
from harness.checks.runbook import FIRST_NOTICE_WITHIN_S
from harness.checks.terms import Breach, Term, conclude, units, unknown
from harness.rundir import Json
from harness.rundir.verdict import Finding, Verdict

TERMS: Final = {
    "skipped": Term("count", "skipped", "at most", "hold points skipped", default=0),
    "late": Term("count", "late", "at most", "steps later than planned", deadline=True),
}
EXPECTS: Final = units(TERMS)


def check(recording: Recording) -> Finding:
    planned = recording.plan.get("rehearsal")
    if not isinstance(planned, Mapping):
        part = asked(recording, "rehearsal", looked=False)
        return Finding(Verdict.PASS, "No runbook was rehearsed.", asked=part)
    performance, auto = str(planned.get("performance")), planned.get("auto") is True
    steps = taken(recording.events, performance)
    due = planned.get("at_s")
    due_ns = recording.clock.start_ns + round((due if isinstance(due, int | float) else 0.0) * 1e9)
    found = deviations(steps, due_ns, _ended_ns(recording, performance))
    measured: dict[str, Json] = {
        "steps": len(steps),
        "proven": sum(step.proven_ns is not None for step in steps),
        "skipped": len({each.step for each in found if each.kind is Kind.SKIPPED}),
        "out_of_order": sum(each.kind is Kind.DISORDER for each in found),
        "late": sum(each.kind is Kind.LATE for each in found),
        "first_notice_s": _first_notice_s(recording),
    }
    held = expectations(recording, "rehearsal", TERMS, measured)
    breaches = _doubts(recording, steps, auto) or list(held.breaches)
    costs = Costs(recording)
    rows = [_row(recording, each, costs) for each in found]
    detail: dict[str, Json] = {
        "runbook": _runbook(planned),
        "auto": auto,
        "within_s": FIRST_NOTICE_WITHIN_S,
        "steps": [_told(recording, step) for step in steps],
        "deviations": rows,
    }
    verdict, why = conclude(breaches, _well(measured, auto))
    return Finding(verdict, why, measured, held.expected, tuple(rows), detail)


def _runbook(planned: Mapping[str, Json]) -> Json:
    runbook = planned.get("runbook")
    return runbook.get("name") if isinstance(runbook, Mapping) else None


def _ended_ns(recording: Recording, performance: str) -> int:
    """When the rehearsal was over; failing that, when the run was."""
    own = [event for event in recording.events if event.data.get("performance") == performance]
    ended = [event.at_ns for event in own if event.kind in ("runbook.ended", "rehearsal.ended")]
    return max(ended) if ended else max((event.at_ns for event in recording.events), default=0)


def _first_notice_s(recording: Recording) -> float | None:
    """Drill seconds from the first fault to the first notice after it; None without a fault, or without a notice."""
    if not recording.faults:
        return None
    fault_ns = min(fault.at_ns for fault in recording.faults)
    told = [
        event.at_ns for event in recording.events if event.kind == "notice.posted" and event.at_ns >= fault_ns
    ]
    return round((min(told) - fault_ns) / 1e9 * recording.clock.scale, 1) if told else None


def _doubts(recording: Recording, steps: Sequence[Taken], auto: bool) -> list[Breach]:
    if (abandoned := recording.first("rehearsal.abandoned")) is not None:
        return [unknown(f"the rehearsal was abandoned: {abandoned.data.get('why')}")]
    if not auto and recording.first("rehearsal.ended") is None:
        return [unknown("the rehearsal's end was never recorded")]
    return [] if steps else [unknown("no step of the runbook was ever begun")]


def _told(recording: Recording, step: Taken) -> Json:
    begun_ns, proven_ns = step.begun_ns, step.proven_ns
    return {
        "step": step.name,
        "title": step.title,
        "role": step.role,
        "hold": step.hold,
        "within_s": step.within_s,
        "by": list(dict.fromkeys(each.by for each in step.attempts)),
        "attempts": len(step.attempts),
        "begun_s": None if begun_ns is None else recording.at_s(begun_ns),
        "proven_s": None if proven_ns is None else recording.at_s(proven_ns),
        "took_s": None if begun_ns is None or proven_ns is None else round((proven_ns - begun_ns) / 1e9, 3),
        "says": step.attempts[-1].says if step.attempts else "",
    }


def _row(recording: Recording, deviation: Deviation, costs: Costs) -> Json:
    return {
        "what": deviation.kind.value,
        "step": deviation.step,
        "behind": deviation.behind,
        "from_s": recording.at_s(deviation.from_ns),
        "until_s": recording.at_s(deviation.until_ns),
        "ended": deviation.ended,
        "cost": costs.between(deviation.from_ns, deviation.until_ns).row(),
    }


def _well(measured: Mapping[str, Json], auto: bool) -> str:
    who = "the harness followed the runbook" if auto else "the runbook was followed"
    late = f", {measured['late']} of them later than planned" if measured["late"] else ""
    return f"{who}: {measured['proven']} of {measured['steps']} steps proven{late}, no hold point skipped"
