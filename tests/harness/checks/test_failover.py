"""Failover, from what the databases were seen to do."""

from __future__ import annotations

from collections.abc import Callable

from harness.checks import failover
from harness.rundir.verdict import Verdict
from tests.harness.checks.recorded import Recorded

Record = Callable[..., Recorded]


def reign(run: Recorded, node: str, from_s: float, until_s: float, timeline: int = 1) -> None:
    """The node takes a write ten times a second."""
    for tick in range(round(from_s * 10), round(until_s * 10)):
        run.database(tick / 10, node, "primary", wrote=True, timeline=timeline)


def stand_by(run: Recorded, node: str, from_s: float, until_s: float, role: str = "replica") -> None:
    for tick in range(round(from_s * 10), round(until_s * 10)):
        run.database(tick / 10 + 0.01, node, role, timeline=1)


def test_one_failover_in_order(record: Record) -> None:
    run = record(failover={"primaries": 1, "failovers": 1, "standbys": 1})
    reign(run, "database-a", 0, 30)
    stand_by(run, "database-b", 0, 38)
    stand_by(run, "database-a", 30, 80, role="")
    reign(run, "database-b", 40, 100, timeline=2)
    stand_by(run, "database-a", 80, 100)
    finding = failover.check(run.end())
    assert finding.verdict is Verdict.PASS
    assert finding.why == "Never two primaries, one failover: database-a, then database-b."
    assert finding.measured["timeline_steps"] == 1
    assert finding.measured["primary_at_end"] == "database-b"


def test_two_nodes_taking_writes_at_once_fail(record: Record) -> None:
    run = record()
    reign(run, "database-a", 0, 45)
    reign(run, "database-b", 40.05, 60, timeline=2)
    finding = failover.check(run.end())
    assert finding.verdict is Verdict.FAIL
    assert finding.measured["primaries"] == 2
    (evidence,) = finding.evidence
    assert evidence == {
        "what": "two primaries",
        "nodes": ["database-a", "database-b"],
        "from_s": 40.0,
        "until_s": 44.9,
        "timelines": [1, 2],
    }


def test_one_write_in_the_midst_of_another_nodes_writes_is_enough(record: Record) -> None:
    run = record()
    reign(run, "database-a", 0, 50)
    run.database(20.03, "database-b", "primary", wrote=True, timeline=2)
    run.database(20.13, "database-b", "replica", timeline=1)
    assert failover.check(run.end()).measured["primaries"] == 2


def test_claiming_to_be_primary_without_taking_writes_is_no_failure(record: Record) -> None:
    run = record()
    reign(run, "database-a", 0, 25)
    stand_by(run, "database-a", 25, 35, role="primary")
    reign(run, "database-b", 30, 60, timeline=2)
    stand_by(run, "database-a", 35, 60)
    finding = failover.check(run.end())
    assert finding.verdict is Verdict.PASS
    assert (finding.measured["primaries"], finding.measured["claimed_primaries"]) == (1, 2)


def test_two_nodes_in_one_timeline_fail(record: Record) -> None:
    run = record()
    reign(run, "database-a", 0, 30)
    stand_by(run, "database-a", 30, 60)
    reign(run, "database-b", 40, 60, timeline=1)
    finding = failover.check(run.end())
    assert finding.verdict is Verdict.FAIL
    assert "with 0 timeline steps instead of 1" in finding.why


def test_a_pause_in_writing_is_no_failover(record: Record) -> None:
    run = record(failover={"failovers": 0})
    reign(run, "database-a", 0, 30)
    run.database(30.0, "database-a", "primary", wrote=False)
    reign(run, "database-a", 31, 60)
    assert failover.check(run.end()).verdict is Verdict.PASS


def test_the_same_node_on_a_new_timeline_is_a_failover(record: Record) -> None:
    run = record()
    reign(run, "database-a", 0, 30)
    reign(run, "database-a", 35, 60, timeline=2)
    assert failover.check(run.end()).measured["failovers"] == 1


def test_a_former_primary_that_still_claims_it_at_the_end_fails(record: Record) -> None:
    run = record()
    reign(run, "database-a", 0, 30)
    reign(run, "database-b", 40, 60, timeline=2)
    stand_by(run, "database-a", 40, 60, role="primary")
    finding = failover.check(run.end())
    assert finding.why == "Database-a, once primary, never became a standby again."


def test_a_write_told_only_after_the_role_was_lost_was_taken_before(record: Record) -> None:
    """The last acknowledgement comes in while the next look finds the node gone."""
    run = record()
    reign(run, "database-a", 0, 30)
    run.database(31.0, "database-a", "", wrote=True)
    reign(run, "database-b", 30.5, 60, timeline=2)
    assert failover.check(run.end()).measured["primaries"] == 1


def test_nobody_watched(record: Record) -> None:
    assert failover.check(record().end()).verdict is Verdict.UNKNOWN
