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
    assert finding.measured == {"runbooks": 1, "steps": 2, "proven": 2, "took_s": 8.5}
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
