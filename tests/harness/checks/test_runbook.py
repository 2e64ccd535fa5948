"""Runbooks as a run recorded them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.checks import runbook
from harness.rundir.verdict import Verdict
from tests.harness.checks.recorded import Recorded

Record = Callable[..., Recorded]


def begun(run: Recorded, *steps: str, at_s: float = 10.0) -> None:
    rows = [{"step": step, "title": {"en": step, "ja": step}, "within_s": 5.0} for step in steps]
    run.event(at_s, "runbook.started", performance="2-run", runbook="move", steps=rows)


def proven(run: Recorded, step: str, from_s: float, until_s: float) -> None:
    run.event(from_s, "step.started", performance="2-run", step=step)
    run.event(until_s, "step.proven", performance="2-run", step=step, proof="seen")


def ended(run: Recorded, at_s: float, outcome: str, why: str = "") -> None:
    run.event(at_s, "runbook.ended", performance="2-run", runbook="move", outcome=outcome, why=why)


def test_every_step_is_told_with_its_planned_and_its_real_time(record: Record) -> None:
    run = record(runbook={"took": 10.0, "proven": 2})
    begun(run, "fence", "promote")
    proven(run, "fence", 10, 12)
    proven(run, "promote", 12, 18.5)
    ended(run, 18.5, "proven")
    finding = runbook.check(run.end())
    assert finding.verdict is Verdict.PASS
    assert finding.why == "Move took 8.5 s, every one of its 2 steps proven."
    assert finding.measured == {
        "runbooks": 1,
        "steps": 2,
        "proven": 2,
        "took_s": 8.5,
        "first_notice_s": None,
    }
    rows = finding.detail["steps"]
    assert isinstance(rows, list)
    assert [(row["step"], row["seconds"], row["within_s"], row["at_s"]) for row in rows] == [
        ("fence", 2.0, 5.0, 10.0),
        ("promote", 6.5, 5.0, 12.0),
    ]


def test_a_step_that_was_not_proven_fails(record: Record) -> None:
    run = record()
    begun(run, "fence", "promote")
    run.event(10, "step.started", performance="2-run", step="fence")
    run.event(15, "step.failed", performance="2-run", step="fence", why="database-a takes a write")
    ended(run, 15, "failed", "database-a takes a write")
    finding = runbook.check(run.end())
    assert finding.verdict is Verdict.FAIL
    assert finding.why == "Move stopped: step fence, database-a takes a write."
    assert [row["state"] for row in finding.evidence] == ["failed", "not reached"]  # type: ignore[index,call-overload]


@pytest.mark.parametrize("outcome", ["unknown", "interrupted", ""])
def test_one_that_did_not_come_to_its_end_is_unknown(record: Record, outcome: str) -> None:
    run = record()
    begun(run, "fence")
    run.event(10, "step.started", performance="2-run", step="fence")
    if outcome:
        ended(run, 12, outcome, "asked to stop")
    assert runbook.check(run.end()).verdict is Verdict.UNKNOWN


def test_one_that_was_planned_and_never_begun_is_unknown(record: Record) -> None:
    run = record()
    run._timeline.append({"id": "2-run", "verb": "run"})
    finding = runbook.check(run.end())
    assert finding.verdict is Verdict.UNKNOWN
    assert "2-run was never begun" in finding.why


def test_one_that_took_too_long_fails(record: Record) -> None:
    run = record(runbook={"took": 1.0})
    begun(run, "fence")
    proven(run, "fence", 10, 12)
    ended(run, 12, "proven")
    assert runbook.check(run.end()).verdict is Verdict.FAIL


def test_without_a_runbook_there_is_nothing_to_say(record: Record) -> None:
    finding = runbook.check(record().end())
    assert (finding.verdict, finding.measured) == (Verdict.PASS, {})


def noticed(record: Record, at_s: float, expect: dict[str, float] | None = None) -> Recorded:
    """Lost at 5 s, a runbook from 10 s on that tells users at `at_s`; a minute of the drill is a second."""
    run = record(**({"runbook": expect} if expect else {}))
    run.event(1, "notice.posted", ja="前", en="before it")
    run.fault("1-lose", 5)
    begun(run, "notice")
    proven(run, "notice", 10, at_s)
    run.event(at_s, "notice.posted", ja="報", en="told")
    run.event(at_s + 1, "notice.posted", ja="続", en="told again")
    ended(run, at_s + 1, "proven")
    return run


@pytest.mark.parametrize(
    ("at_s", "seconds", "says"), [(12, 420.0, "7 min of drill time, within 30"), (45, 2400.0, "40 min")]
)
def test_when_users_first_heard_is_told(record: Record, at_s: float, seconds: float, says: str) -> None:
    finding = runbook.check(noticed(record, at_s).end())
    assert finding.verdict is Verdict.PASS, "nobody asked for it"
    assert finding.measured["first_notice_s"] == seconds
    assert f"users heard of it after {says}" in finding.why


def test_users_wait_from_the_first_fault_that_they_had_not_heard_of(record: Record) -> None:
    """Not from the one before, of which they had, nor from the last of those that came together."""
    run = record()
    run.fault("1-cut", 1)
    run.event(2, "notice.posted", ja="前", en="of the cut")
    run.fault("2-fail", 4)
    run.fault("3-lose", 9)
    begun(run, "notice")
    proven(run, "notice", 10, 12)
    run.event(12, "notice.posted", ja="報", en="told")
    ended(run, 13, "proven")
    assert runbook.check(run.end()).measured["first_notice_s"] == 8 * 60


def test_a_first_notice_that_came_too_late_fails_where_it_is_asked_for(record: Record) -> None:
    asked = {"first_notice": 1800.0}
    assert runbook.check(noticed(record, 12, asked).end()).verdict is Verdict.PASS
    late = runbook.check(noticed(record, 45, asked).end())
    assert late.verdict is Verdict.FAIL
    assert "First notice to users: 40.0 min of drill time, expected at most 30.0 min" in late.why


def test_a_fault_that_was_over_before_needs_no_notice(record: Record) -> None:
    run = record()
    run.fault("1-lose", 5, 8)
    begun(run, "fence")
    proven(run, "fence", 10, 12)
    ended(run, 12, "proven")
    assert runbook.check(run.end()).measured["first_notice_s"] is None


def test_users_who_heard_nothing_are_unknown_where_it_is_asked_for(record: Record) -> None:
    run = record(runbook={"first_notice": 1800.0})
    run.fault("1-lose", 5)
    begun(run, "fence")
    proven(run, "fence", 10, 12)
    ended(run, 12, "proven")
    assert runbook.check(run.end()).verdict is Verdict.UNKNOWN
