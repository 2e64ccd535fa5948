"""Recovery of a run, capability by capability."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.checks import recovery
from harness.rundir import Json
from harness.rundir.verdict import Finding, Verdict
from tests.harness.checks.recorded import Recorded

Record = Callable[..., Recorded]
Fate = Callable[[float], tuple[float, str]]


def gone(from_s: float, until_s: float) -> Fate:
    return lambda at_s: (0.7, "info") if from_s <= at_s < until_s else (0.02, "ok")


def test_the_worst_carrier_decides(record: Record) -> None:
    run = record(recovery={"write": 30.0, "read": 15.0})
    run.fault("1-lose", 30.0, 80.0)
    for carrier, write_s, read_s in (("docomo", 41.0, 32.0), ("au", 44.0, 33.0), ("softbank", 43.0, 32.5)):
        run.probes("write", 104, gone(30, write_s), vantage=carrier)
        run.probes("read", 104, gone(30, read_s), vantage=carrier)
    finding = recovery.check(run.end())
    assert finding.verdict is Verdict.PASS
    assert finding.measured["write_rto_s"] == pytest.approx(14.02)
    assert finding.measured["read_rto_s"] == pytest.approx(3.02)
    assert finding.measured["after_undo_s"] == 0
    assert finding.expected == {"write_rto_s": 30.0, "read_rto_s": 15.0}
    assert finding.why == "Write was back after 14.0 s, read was back after 3.02 s."


def test_a_fault_that_takes_seconds_counts_from_whom_it_first_let_down(record: Record) -> None:
    run = record(recovery={"write": 12.0, "read": 2.0})
    run.fault("1-lose", 30.0, took_s=8.0)
    run.probes("write", 104, gone(22.5, 35))
    run.probes("read", 104, gone(22.5, 25))
    finding = recovery.check(run.end())
    assert finding.measured["write_rto_s"] == pytest.approx(12.52)
    assert finding.measured["read_rto_s"] == pytest.approx(2.52)
    assert finding.verdict is Verdict.FAIL


def test_a_missed_deadline_fails(record: Record) -> None:
    run = record(recovery={"write": 5.0})
    run.fault("1-lose", 30.0)
    run.probes("write", 104, gone(30, 41))
    finding = recovery.check(run.end())
    assert finding.verdict is Verdict.FAIL
    assert finding.why == "RTO of write: 11.0 s, expected at most 5 s."


def test_a_missed_deadline_on_a_starved_host_is_unknown(record: Record) -> None:
    run = record(recovery={"write": 5.0})
    run.fault("1-lose", 30.0)
    run.probes("write", 104, gone(30, 41))
    for tick in range(40):
        run.probe("login", 40 + tick / 10, 0.5, lag_s=0.4)
    assert recovery.check(run.end()).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("pressed_s", "verdict"),
    [
        ((29.0, 42.0), Verdict.UNKNOWN),  # all through the outage
        ((0.0, 29.0), Verdict.FAIL),  # before it
        ((29.0, 35.0), Verdict.FAIL),  # half of it
    ],
)
def test_a_deadline_missed_while_everything_waited_for_a_cpu_is_unknown(
    record: Record, pressed_s: tuple[float, float], verdict: Verdict
) -> None:
    run = record(recovery={"write": 5.0})
    run.fault("1-lose", 30.0)
    run.probes("write", 104, gone(30, 41))
    waited_us = 0
    for tick in range(200):
        at_s = tick / 2
        waited_us += 490_000 if pressed_s[0] <= at_s < pressed_s[1] else 200_000
        run.host(at_s, psi_some_us=waited_us)
    assert recovery.check(run.end()).verdict is verdict


def test_one_deadline_missed_on_an_easy_host_fails_whatever_others_were_missed(record: Record) -> None:
    run = record(recovery={"write": 5.0})
    run.fault("1-lose", 30.0)
    run.probes("write", 104, gone(30, 41), vantage="docomo")
    run.fault("2-cut", 70.0)
    run.probes("write", 104, gone(70, 81), vantage="au")
    waited_us = 0
    for tick in range(200):
        waited_us += 490_000 if tick < 100 else 200_000
        run.host(tick / 2, psi_some_us=waited_us)
    assert recovery.check(run.end()).verdict is Verdict.FAIL


def test_never_restored_fails_whatever_was_expected(record: Record) -> None:
    run = record()
    run.fault("1-lose", 30.0)
    run.probes("login", 104, gone(30, 999))
    finding = recovery.check(run.end())
    assert finding.verdict is Verdict.FAIL
    assert finding.measured["login_rto_s"] is None
    assert finding.why == "Login was never seen restored at docomo."


def test_a_failure_that_nobody_could_see_the_end_of_is_unknown(record: Record) -> None:
    run = record()
    run.fault("1-lose", 30.0, 60.0)
    run.probes("write", 104, gone(103, 103.1))
    finding = recovery.check(run.end())
    assert finding.verdict is Verdict.UNKNOWN
    assert "in the last two seconds that were watched" in finding.why


@pytest.mark.parametrize(("deadline_s", "verdict"), [(30.0, Verdict.UNKNOWN), (5.0, Verdict.FAIL)])
def test_a_killed_run_proves_only_the_deadlines_that_had_passed(
    record: Record, deadline_s: float, verdict: Verdict
) -> None:
    run = record(recovery={"write": deadline_s})
    run.fault("1-lose", 30.0)
    run.probes("write", 40, gone(30, 999))
    run.event(40.0, "node.died", node="web-a1", log=[])
    assert recovery.check(run.cut()).verdict is verdict


def test_an_outage_after_the_undoing_is_told_apart(record: Record) -> None:
    run = record(recovery={"write": 5.0})
    run.fault("1-lose", 30.0, 60.0)
    run.probes("write", 104, lambda at_s: gone(30, 33)(at_s) if at_s < 50 else gone(61, 68)(at_s))
    finding = recovery.check(run.end())
    assert finding.verdict is Verdict.PASS
    assert finding.measured["write_rto_s"] == pytest.approx(3.02)
    assert finding.measured["after_undo_s"] == pytest.approx(7.02)


def test_an_expected_capability_without_probes_is_unknown(record: Record) -> None:
    run = record(recovery={"write": 5.0, "feed": 5.0})
    run.fault("1-lose", 30.0)
    run.probes("write", 104)
    finding = recovery.check(run.end())
    assert finding.verdict is Verdict.UNKNOWN
    assert "RTO of feed" in finding.why


def test_probes_that_died_are_unknown(record: Record) -> None:
    run = record()
    run.probes("write", 60)
    assert recovery.check(run.end(100.0)).verdict is Verdict.UNKNOWN


def test_probes_that_were_stopped_say_nothing(record: Record) -> None:
    run = record()
    run.probes("write", 104)
    run.probe("write", 104.0, 0.01, "info", detail="stopped")
    run.probe("write", 104.1, 0.01, "info", detail="the observer was late")
    finding = recovery.check(run.end())
    assert finding.verdict is Verdict.PASS
    assert finding.measured["failed_probes"] == 0


def test_in_a_calm_run_the_outage_itself_is_held_against_the_deadline(record: Record) -> None:
    run = record(recovery={"write": 1.0})
    run.probes("write", 104, gone(50, 52))
    finding = recovery.check(run.end())
    assert finding.measured["write_rto_s"] == pytest.approx(2.02)
    assert finding.verdict is Verdict.FAIL


def test_the_parts_add_up_to_the_recovery(record: Record) -> None:
    run = record()
    run.fault("1-lose", 30.0)
    for carrier, until_s in (("docomo", 41.0), ("au", 43.0)):
        run.probes("write", 104, gone(30, until_s), vantage=carrier)
    for tick in range(250, 500):
        at_s = tick / 10
        leader = "database-a" if at_s < 35 else "" if at_s < 37 else "database-b"
        leader = "" if 32 <= at_s < 33 else leader  # the store could not be read for a second
        run.database(at_s, "database-a", "primary" if at_s < 30 else "", wrote=at_s < 30, leader=leader)
        run.database(
            at_s, "database-b", "primary" if at_s > 38 else "replica", wrote=at_s > 39, leader=leader
        )
    finding = recovery.check(run.end())
    parts = {
        name: float(str(finding.measured[f"{name}_s"]))
        for name in ("detected", "decided", "promoted", "routed")
    }
    assert parts == pytest.approx({"detected": 5.0, "decided": 2.0, "promoted": 2.1, "routed": 1.92})
    assert finding.measured["unexplained_s"] == pytest.approx(2.0)
    assert sum(parts.values()) + 2.0 == pytest.approx(finding.measured["write_rto_s"])


def gives_way(run: Recorded) -> None:
    """Database a is lost at 30 s; b is seen to hold the key from 37 s on, and takes a write at 39.1 s."""
    for tick in range(250, 500):
        at_s = tick / 10
        leader = "database-a" if at_s < 35 else "" if at_s < 37 else "database-b"
        run.database(at_s, "database-a", "primary" if at_s < 30 else "", wrote=at_s < 30, leader=leader)
        run.database(
            at_s, "database-b", "primary" if at_s > 38 else "replica", wrote=at_s > 39, leader=leader
        )


def parts_of(finding: Finding, capability: str) -> dict[str, Json]:
    rows = finding.detail["parts"]
    assert isinstance(rows, list)
    (row,) = (row for row in rows if isinstance(row, dict) and row["capability"] == capability)
    return row


def test_every_capability_has_its_own_parts(record: Record) -> None:
    run = record()
    run.fault("1-lose", 30.0)
    for capability, carrier, until_s in (
        ("write", "docomo", 41.0),
        ("read", "docomo", 42.0),
        ("read", "au", 44.5),
        ("feed", "observers", 32.0),
    ):
        run.probes(capability, 104, gone(30, until_s), vantage=carrier)
    gives_way(run)
    finding = recovery.check(run.end())
    read = parts_of(finding, "read")
    seconds = [read[f"{name}_s"] for name in ("detected", "decided", "promoted", "routed", "unexplained")]
    assert seconds == pytest.approx([5.0, 2.0, 2.1, 2.92, 2.5])
    assert (read["vantage"], read["rto_s"]) == ("au", pytest.approx(14.52))
    assert parts_of(finding, "write")["routed_s"] == pytest.approx(1.92)


def test_who_was_served_again_before_the_promotion_did_not_wait_for_it(record: Record) -> None:
    run = record()
    run.fault("1-lose", 30.0)
    run.probes("write", 104, gone(30, 41))
    run.probes("read", 104, gone(30, 36))
    gives_way(run)
    read = parts_of(recovery.check(run.end()), "read")
    assert [read[f"{name}_s"] for name in ("detected", "decided", "promoted")] == [None, None, None]
    assert (read["routed_s"], read["unexplained_s"]) == (pytest.approx(6.02), 0.0)


def test_what_nobody_was_without_has_no_parts(record: Record) -> None:
    run = record()
    run.fault("1-lose", 30.0)
    run.probes("login", 104)
    assert recovery.check(run.end()).detail["parts"] == []


def test_where_no_database_gave_way_nothing_is_said_of_it(record: Record) -> None:
    run = record()
    run.fault("1-hang", 30.0)
    run.probes("write", 104, gone(30, 32))
    for tick in range(250, 500):
        run.database(tick / 10, "database-a", "primary", wrote=True, leader="database-a")
    finding = recovery.check(run.end())
    assert finding.measured["detected_s"] is None
    assert finding.measured["routed_s"] == pytest.approx(2.02)
