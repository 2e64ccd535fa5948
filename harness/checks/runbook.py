"""Runbooks: every step carried out and proven in its time; how long each took beside what was planned.

A step whose proof was not seen is a failure, of the service or of the runbook. What could not be carried out because of
the harness itself, or was stopped from outside, is unknown.

Users are to hear within 30 minutes whether a failure has an effect on them (IPA). When the first notice came is told
against that, on the drill's clock; it is judged where a scenario asks for it (`first_notice`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from harness.checks.expectations import asked, expectations
from harness.checks.recording import Recording
from harness.checks.terms import Breach, Term, conclude, fail, quantity, units, unknown
from harness.rundir import Event, Json
from harness.rundir.verdict import Finding

TERMS: Final = {
    "took": Term("duration", "took_s", "at most", "the longest runbook", deadline=True),
    "proven": Term("count", "proven", "at least", "steps proven"),
    "first_notice": Term(
        "drill-duration", "first_notice_s", "at most", "first notice to users", deadline=True
    ),
}
EXPECTS: Final = units(TERMS)
PERFORMS: Final = "run"
#: First notice to users: "is there an effect or not" (IPA), in drill seconds.
FIRST_NOTICE_WITHIN_S: Final = 30 * 60.0


@dataclass
class Step:
    """One step as it was recorded; `seconds` from its command to its proof, `within_s` what was planned."""

    name: str
    title: Json
    within_s: float
    started_ns: int | None = None
    state: str = "not reached"  # not reached | under way | proven | failed
    seconds: float | None = None
    says: str = ""

    def row(self, recording: Recording, runbook: str) -> Json:
        at_s = None if self.started_ns is None else recording.at_s(self.started_ns)
        return {
            "runbook": runbook,
            "step": self.name,
            "title": self.title,
            "state": self.state,
            "at_s": at_s,
            "seconds": self.seconds,
            "within_s": self.within_s,
            "says": self.says,
        }


@dataclass
class Performance:
    """One performance of a runbook. `outcome` is "" if its end was never recorded."""

    runbook: str
    started_ns: int
    steps: dict[str, Step] = field(default_factory=dict)
    ended_ns: int | None = None
    outcome: str = ""
    why: str = ""

    @property
    def took_s(self) -> float | None:
        return None if self.ended_ns is None else round((self.ended_ns - self.started_ns) / 1e9, 3)


def check(recording: Recording) -> Finding:
    performed = performances(recording)
    rows = [step.row(recording, each.runbook) for each in performed.values() for step in each.steps.values()]
    steps = [step for each in performed.values() for step in each.steps.values()]
    measured: dict[str, Json] = {}
    if performed:
        took = [each.took_s for each in performed.values()]
        known = [seconds for seconds in took if seconds is not None]
        measured = {
            "runbooks": len(performed),
            "steps": len(steps),
            "proven": sum(step.state == "proven" for step in steps),
            "took_s": max(known, default=0.0) if len(known) == len(took) else None,
            "first_notice_s": _first_notice_s(recording, performed),
        }
    held = expectations(recording, "runbook", TERMS, measured)
    breaches = [*_missing(recording, performed), *_breaches(performed), *held.breaches]
    bad = [row for row, step in zip(rows, steps, strict=True) if step.state != "proven"]
    verdict, why = conclude(breaches, _well(performed) + _heard(measured.get("first_notice_s")))
    part = asked(recording, "runbook", looked=bool(performed), breaches=breaches)
    return Finding(verdict, why, measured, held.expected, tuple(bad), {"steps": rows}, asked=part)


def performances(recording: Recording) -> Mapping[str, Performance]:
    """By their names in the events, in the order in which they began."""
    found: dict[str, Performance] = {}
    for event in recording.events:
        name = str(event.data.get("performance"))
        if event.kind == "runbook.started":
            found[name] = _begun(event)
        elif name in found and event.kind == "runbook.ended":
            each = found[name]
            each.ended_ns, each.outcome = event.at_ns, str(event.data.get("outcome"))
            each.why = str(event.data.get("why"))
        elif name in found and event.kind.startswith("step."):
            _note(found[name], event)
    return found


def _begun(event: Event) -> Performance:
    performance = Performance(str(event.data.get("runbook")), event.at_ns)
    steps = event.data.get("steps")
    for row in steps if isinstance(steps, list) else ():
        if isinstance(row, Mapping):
            within = row.get("within_s")
            planned = float(within) if isinstance(within, int | float) else 0.0
            performance.steps[str(row.get("step"))] = Step(str(row.get("step")), row.get("title"), planned)
    return performance


def _note(performance: Performance, event: Event) -> None:
    step = performance.steps.get(str(event.data.get("step")))
    if step is None:
        return
    if event.kind == "step.started":
        step.started_ns, step.state = event.at_ns, "under way"
    elif event.kind in ("step.proven", "step.failed"):
        step.state = event.kind.removeprefix("step.")
        step.says = str(event.data.get("proof") or event.data.get("why") or "")
        if step.started_ns is not None:
            step.seconds = round((event.at_ns - step.started_ns) / 1e9, 3)


def _breaches(performed: Mapping[str, Performance]) -> list[Breach]:
    breaches = []
    for each in performed.values():
        if each.outcome == "failed":
            breaches.append(fail(f"{each.runbook} stopped: {_where(each)}{each.why}"))
        elif each.outcome != "proven":
            why = each.why or "its end was never recorded"
            breaches.append(unknown(f"{each.runbook} did not come to its end: {_where(each)}{why}"))
    return breaches


def _first_notice_s(recording: Recording, performed: Mapping[str, Performance]) -> float | None:
    """Drill seconds from a fault to the first notice after it, of the runbook that was performed while it lasted.

    Of several faults that users had not heard of, the first counts. The longest of all performances; None where no
    runbook answered a fault, or one that did said nothing to users.
    """
    told = [event.at_ns for event in recording.events if event.kind == "notice.posted"]
    waited: list[float] = []
    for each in performed.values():
        unheard = [
            fault.at_ns
            for fault in recording.faults
            if fault.at_ns <= each.started_ns
            and (fault.undone_ns is None or fault.undone_ns > each.started_ns)
            and not any(fault.at_ns <= at_ns <= each.started_ns for at_ns in told)
        ]
        if not unheard:
            continue
        heard = next((at_ns for at_ns in told if at_ns >= each.started_ns), None)
        if heard is None:
            return None
        waited.append((heard - min(unheard)) / 1e9 * recording.clock.scale)
    return round(max(waited), 1) if waited else None


def _heard(first_notice_s: Json) -> str:
    if not isinstance(first_notice_s, int | float):
        return ""
    told, within = (f"{seconds / 60:.0f}" for seconds in (first_notice_s, FIRST_NOTICE_WITHIN_S))
    word = "within" if first_notice_s <= FIRST_NOTICE_WITHIN_S else "not within"
    return f"; users heard of it after {told} min of drill time, {word} {within}"


def _where(performance: Performance) -> str:
    reached = [step.name for step in performance.steps.values() if step.state in ("failed", "under way")]
    return f"step {reached[-1]}, " if reached else ""


def _missing(recording: Recording, performed: Mapping[str, Performance]) -> list[Breach]:
    """Runbooks of the timeline that were never begun."""
    timeline = recording.plan.get("timeline")
    wanted = [
        str(entry.get("id"))
        for entry in (timeline if isinstance(timeline, list) else ())
        if isinstance(entry, Mapping) and entry.get("verb") == PERFORMS
    ]
    return [unknown(f"the runbook {name} was never begun") for name in wanted if name not in performed]


def _well(performed: Mapping[str, Performance]) -> str:
    if not performed:
        return "no runbook was performed"
    told = [
        f"{each.runbook} took {quantity(each.took_s, 'duration')}, every one of its {len(each.steps)} steps proven"
        for each in performed.values()
    ]
    return "; ".join(told)
