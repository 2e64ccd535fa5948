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


def returning(run: Recorded, behind_s: float = 0.0) -> None:
    """Singapore is lost at 30 s and back at 60 s; Tokyo writes from 40 s to 80 s, then Singapore does again.

    By the last look before it took over, Tokyo showed what was written `behind_s` before the loss.
    """
    run.event(30, "fault.injecting", fault="1-lose", verb="lose", nodes=["database-a", "database-b"])
    run.event(30, "fault.injected", fault="1-lose")
    run.event(60, "fault.undone", fault="1-lose")
    reign(run, "database-a", 0, 30)
    run.replicated(31, "database-t", "tokyo", 29.9, 29.9 - behind_s)
    run.replicated(
        39.95, "database-t", "tokyo", 39.9, 39.9
    )  # its own first write, seen here before it is seen there
    stand_by(run, "database-a", 30, 60, role="")
    reign(run, "database-t", 40, 80, timeline=2)
    stand_by(run, "database-a", 61, 85)
    stand_by(run, "database-t", 80.2, 100)
    reign(run, "database-a", 85, 100, timeline=3)


STATED = {"primaries": 1, "failovers": 2, "returned": 1, "diverged": 1}


def test_a_primary_that_comes_back_waits_until_it_has_rejoined(record: Record) -> None:
    run = record(failover=STATED)
    returning(run, behind_s=3.0)
    finding = failover.check(run.end())
    assert finding.verdict is Verdict.PASS, finding.why
    counted = [finding.measured[name] for name in ("returned", "diverged", "returned_writes")]
    assert counted == [1, 1, 0]
    assert finding.measured["returned_asked"] == 189  # ten looks a second from 61.01 s to 79.9 s
    assert "took no write before it had rejoined" in finding.why


def test_a_single_write_before_that_is_one_too_many(record: Record) -> None:
    run = record(failover=STATED)
    returning(run, behind_s=3.0)
    run.database(70.03, "database-b", "primary", wrote=True, timeline=1)
    finding = failover.check(run.end())
    assert finding.verdict is Verdict.FAIL
    assert finding.measured["returned_writes"] == 1
    first = finding.evidence[0]
    assert isinstance(first, dict)
    assert first["what"] == "writes before rejoining"


def test_a_primary_that_had_passed_everything_on_did_not_diverge(record: Record) -> None:
    run = record(failover=STATED)
    returning(run)
    finding = failover.check(run.end())
    assert finding.verdict is Verdict.UNKNOWN
    assert "0, and 1 are needed to show anything" in finding.why


def test_a_primary_that_nobody_asked_proves_nothing(record: Record) -> None:
    run = record(failover={"returned": 1})
    run.event(30, "fault.injecting", fault="1-lose", verb="lose", nodes=["database-a"])
    run.event(30, "fault.injected", fault="1-lose")
    run.event(60, "fault.undone", fault="1-lose")
    reign(run, "database-a", 0, 30)
    reign(run, "database-t", 40, 100, timeline=2)
    run.database(99.95, "database-a", "replica")
    finding = failover.check(run.end())
    assert finding.verdict is Verdict.UNKNOWN
    assert "Nobody asked" in finding.why


def test_a_primary_that_comes_back_before_anybody_replaced_it_may_write(record: Record) -> None:
    run = record()
    run.event(30, "fault.injecting", fault="1-lose", verb="lose", nodes=["database-a"])
    run.event(30, "fault.injected", fault="1-lose")
    run.event(40, "fault.undone", fault="1-lose")
    reign(run, "database-a", 0, 30)
    reign(run, "database-a", 42, 100)
    assert failover.check(run.end()).measured["returned"] == 0
