"""Replication: how far other regions were behind, and whether somebody was told before it was too much.

The lag of a database is how much older its newest write is than the newest one that any primary had acknowledged: what
would be lost if the primary died at that moment. Within a region a commit waits for the standby, so only databases of
other regions than the primary's are looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from harness.checks import answers
from harness.checks.columns import ints, texts
from harness.checks.expectations import asked, expectations
from harness.checks.recording import Recording
from harness.checks.terms import Breach, Term, conclude, fail, quantity, units, unknown
from harness.rundir import Event, Json
from harness.rundir.verdict import Finding

TERMS: Final = {
    "lag": Term(
        "duration", "lag_before_fault_s", "at most", "the worst lag of another region before any fault"
    ),
    "alarms": Term("count", "alarms", "at least", "alarms that a region falls behind"),
    "alarmed_within": Term(
        "drill-duration", "lag_when_alarmed_drill_s", "at most", "the lag when the alarm was raised"
    ),
    "foretold_within": Term(
        "duration",
        "rpo_off_s",
        "at most",
        "the difference between the loss and the lag that was told before it",
    ),
}
EXPECTS: Final = units(TERMS)
#: After anything that is recorded.
LATER_NS: Final = 2**63 - 1


@dataclass(frozen=True)
class Lag:
    """One observation. `lag_ns` is None where the database did not answer or nothing had been written."""

    at_ns: int
    node: str
    region: str
    lag_ns: int | None


def check(recording: Recording) -> Finding:
    lags = list(observed(recording))
    followers = _followers(recording, lags)
    alarms, later = _alarms(recording, followers)
    told = [event.data.get("lag_s") for event in alarms]
    raised = [lag_s for lag_s in told if isinstance(lag_s, int | float)]
    first_ns = min((fault.injecting_ns for fault in recording.faults), default=LATER_NS)
    foretold = _foretold(recording, lags, followers)
    if "foretold_within" in recording.stated("replication") and foretold:
        foretold |= _off(recording, foretold)
    measured: dict[str, Json] = {
        "followers": sorted(followers),
        "worst_lag_s": _worst(lags, followers),
        "lag_before_fault_s": _worst([lag for lag in lags if lag.at_ns < first_ns], followers),
        "alarms": len(alarms),
        "alarms_after_move": len(later),
        "lag_when_alarmed_drill_s": max(raised) * recording.clock.scale if raised else None,
        **foretold,
    }
    held = expectations(recording, "replication", TERMS, measured)
    breaches: list[Breach] = list(held.breaches)
    late = foretold.get("alarm_came_s")
    if "alarms" in held.expected and isinstance(late, float) and late > 0:
        breaches.append(fail(f"the alarm came {quantity(late, 'duration')} after the loss"))
    if held.expected and not lags:
        breaches = [unknown("nobody watched how far the other regions follow")]
    verdict, why = conclude(breaches, _well(measured, moved=recording.first("runbook.started") is not None))
    evidence = _evidence(recording, [*alarms, *later])
    part = asked(recording, "replication", looked=bool(followers), breaches=breaches)
    return Finding(verdict, why, measured, held.expected, evidence, asked=part)


def observed(recording: Recording) -> Iterable[Lag]:
    table = recording.replication
    times = (ints(table, "at_ns").tolist(), ints(table, "acknowledged_ns").tolist())
    columns = (texts(table, "node"), texts(table, "region"), *times, ints(table, "shown_ns").tolist())
    for node, region, at_ns, acknowledged_ns, shown_ns in zip(*columns, strict=True):
        known = acknowledged_ns > 0 and shown_ns > 0
        yield Lag(at_ns, node, region, max(0, acknowledged_ns - shown_ns) if known else None)


def _followers(recording: Recording, lags: Sequence[Lag]) -> set[str]:
    """The databases that stand in another region than the first primary."""
    regions = {lag.node: lag.region for lag in lags}
    table = recording.databases
    wrote = table.filter(table.column("wrote")) if table.num_rows else table
    first = str(texts(wrote, "node")[0]) if wrote.num_rows else ""
    return {lag.node for lag in lags if regions.get(lag.node) != regions.get(first, "")}


def _alarms(recording: Recording, followers: set[str]) -> tuple[list[Event], list[Event]]:
    """Those of the followers as long as they follow their first primary, and those after a move was begun.

    A move leaves all behind for a moment: what is told then is told, and counts for nothing.
    """
    moved = recording.first("runbook.started")
    raised = [event for event in recording.events if event.kind == "alarm.raised"]
    later = [event for event in raised if moved is not None and event.at_ns >= moved.at_ns]
    before = [event for event in raised if event not in later and event.data.get("node") in followers]
    return before, later


def _worst(lags: Sequence[Lag], followers: set[str]) -> float | None:
    known = [lag.lag_ns for lag in lags if lag.node in followers and lag.lag_ns is not None]
    return max(known) / 1e9 if known else None


def _foretold(recording: Recording, lags: Sequence[Lag], followers: set[str]) -> dict[str, Json]:
    """What was known of the region that took over, when the primary's region was lost, against what was lost."""
    to = next((to for event in recording.events if (to := _moved_to(event))), None)
    lost = next((fault for fault in recording.faults if fault.verb == "lose"), None)
    if to is None or lost is None or lost.injected_ns is None:
        return {}
    chosen = [lag for lag in lags if lag.node in followers and lag.region == to]
    before = [lag for lag in chosen if lag.lag_ns is not None and lag.at_ns <= lost.injected_ns]
    foretold_s = before[-1].lag_ns / 1e9 if before and before[-1].lag_ns is not None else None
    raised = (event for event in recording.events if event.kind == "alarm.raised")
    alarm = next((event for event in raised if event.data.get("region") == to), None)
    return {
        "lag_at_loss_s": foretold_s,
        "alarm_came_s": (alarm.at_ns - lost.injected_ns) / 1e9 if alarm else None,
    }


def _moved_to(event: Event) -> str | None:
    """The region that a runbook moved the service to."""
    arguments = event.data.get("arguments") if event.kind == "runbook.started" else None
    to = arguments.get("to") if isinstance(arguments, Mapping) else None
    return str(to) if to else None


def _off(recording: Recording, foretold: Mapping[str, Json]) -> dict[str, Json]:
    """How far the loss that was told before is from the one that the answers show."""
    lag_s, rpo_s = foretold.get("lag_at_loss_s"), answers.check(recording).measured.get("rpo_s")
    if isinstance(lag_s, int | float) and isinstance(rpo_s, int | float):
        return {"rpo_off_s": round(abs(rpo_s - lag_s), 3)}
    return {"rpo_off_s": None}


def _well(measured: Mapping[str, Json], *, moved: bool) -> str:
    worst = measured["worst_lag_s"]
    if worst is None:
        return "no other region follows"
    told = f"the other regions were behind by {quantity(worst, 'duration')} at the most; alarms: {measured['alarms']}"
    return f"{told} before the move, {measured['alarms_after_move']} after it was begun" if moved else told


def _evidence(recording: Recording, alarms: Sequence[Event]) -> tuple[Json, ...]:
    return tuple(
        {"what": "alarm", "at_s": recording.at_s(event.at_ns), **dict(event.data)} for event in alarms
    )
