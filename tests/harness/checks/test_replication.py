"""How far other regions were behind, in runs made by hand."""

from __future__ import annotations

from pathlib import Path

from harness.checks import replication
from harness.rundir.verdict import Verdict
from tests.harness.checks.recorded import Recorded, answered


def followed(record: Recorded, until_s: float, stalled_s: float | None = None) -> None:
    """Twice a second, singapore's database shows everything; tokyo's what is half a second old, or stands still."""
    for tick in range(round(until_s * 2)):
        at_s = tick / 2 + 1
        record.database(at_s, "database-a", "primary", wrote=True)
        record.replicated(at_s, "database-a", "singapore", at_s, at_s)
        shown_s = at_s - 0.5 if stalled_s is None else min(at_s - 0.5, stalled_s)
        record.replicated(at_s, "database-t", "tokyo", at_s, shown_s)


def test_the_worst_lag_is_that_of_another_region(tmp_path: Path) -> None:
    record = Recorded(tmp_path, {"replication": {"lag": 1.0}})
    followed(record, 20)
    record.replicated(
        12, "database-b", "singapore", 12, 2
    )  # a standby of the same region: no lag of a region
    found = replication.check(record.end())
    assert (found.verdict, found.measured["worst_lag_s"]) == (Verdict.PASS, 0.5), found.why
    assert found.measured["followers"] == ["database-t"]


def test_a_region_that_falls_behind_fails_what_is_expected(tmp_path: Path) -> None:
    record = Recorded(tmp_path, {"replication": {"lag": 5.0}})
    followed(record, 20, stalled_s=8.0)
    found = replication.check(record.end())
    assert found.verdict is Verdict.FAIL
    assert found.measured["lag_before_fault_s"] == 12.5


def test_what_a_fault_brings_is_not_the_lag_that_is_expected(tmp_path: Path) -> None:
    record = Recorded(tmp_path, {"replication": {"lag": 5.0}})
    followed(record, 20, stalled_s=8.0)
    record.fault("1-cut", 8.0)
    found = replication.check(record.end())
    assert (found.verdict, found.measured["worst_lag_s"]) == (Verdict.PASS, 12.5)


def test_without_another_region_there_is_nothing_to_say(tmp_path: Path) -> None:
    found = replication.check(Recorded(tmp_path).end())
    assert (found.verdict, found.measured["worst_lag_s"]) == (Verdict.PASS, None)


def test_nobody_watched_is_unknown_where_it_matters(tmp_path: Path) -> None:
    assert (
        replication.check(Recorded(tmp_path, {"replication": {"lag": 5.0}}).end()).verdict is Verdict.UNKNOWN
    )


def lost_after_a_stall(folder: Path, *, alarm_s: float | None, lost_from_s: float = 8.5) -> Recorded:
    """Tokyo stands still at 8 s, singapore is lost at 20 s; what was acknowledged from `lost_from_s` on is gone."""
    expect = {"replication": {"alarms": 1, "alarmed_within": 300.0, "foretold_within": 1.5}}
    record = Recorded(folder, {**expect, "answers": {"rpo": 15.0, "lost": 100, "stale": 100}})
    followed(record, 19, stalled_s=8.0)
    if alarm_s is not None:
        told = {"alarm": "replication", "node": "database-t", "region": "tokyo", "lag_s": 2.6}
        record.event(alarm_s, "alarm.raised", **told)
    record.fault("2-lose", 20)
    record.event(25, "runbook.started", runbook="region-move", arguments={"to": "tokyo"})
    for person in range(1, 20):
        record.answer(person, 1, person - 0.02)
        if person < lost_from_s:
            record.final("answers", answered(person, 1))
    return record


def test_the_alarm_came_first_and_told_what_would_be_lost(tmp_path: Path) -> None:
    found = replication.check(lost_after_a_stall(tmp_path, alarm_s=11).end())
    assert found.verdict is Verdict.PASS, found.why
    assert found.measured["lag_at_loss_s"] == 11.5
    assert found.measured["rpo_off_s"] == 0.5
    assert found.measured["alarm_came_s"] == -9.0


def test_an_alarm_after_the_loss_is_none(tmp_path: Path) -> None:
    found = replication.check(lost_after_a_stall(tmp_path, alarm_s=21).end())
    assert found.verdict is Verdict.FAIL
    assert "after the loss" in found.why


def test_no_alarm_at_all_fails(tmp_path: Path) -> None:
    assert replication.check(lost_after_a_stall(tmp_path, alarm_s=None).end()).verdict is Verdict.FAIL


def test_more_was_lost_than_was_told(tmp_path: Path) -> None:
    found = replication.check(lost_after_a_stall(tmp_path, alarm_s=11, lost_from_s=5.5).end())
    assert found.verdict is Verdict.FAIL
    assert found.measured["rpo_off_s"] == 2.5


def test_alarms_after_a_move_was_begun_are_told_apart(tmp_path: Path) -> None:
    record = lost_after_a_stall(tmp_path, alarm_s=11)
    for at_s, node in ((26, "database-t"), (27, "database-a")):
        told = {"alarm": "replication", "node": node, "region": "tokyo", "lag_s": 3.0}
        record.event(at_s, "alarm.raised", **told)
    found = replication.check(record.end())
    assert (found.measured["alarms"], found.measured["alarms_after_move"]) == (1, 2)
    assert "alarms: 1 before the move, 2 after it was begun" in found.why
