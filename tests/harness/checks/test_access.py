"""How long a block's users were cut off, and what helping them cost the users of the other."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness import library
from harness.checks import access
from harness.rundir.history import MISTAKEN
from harness.rundir.verdict import Verdict
from tests.harness.checks.recorded import SCALE, Recorded
from topology.flat import flatten

Record = Callable[..., Recorded]
Serve = Callable[[float], tuple[float, str]]

OK: Serve = lambda at_s: (0.1, "ok")  # noqa: E731


def outage(run: Recorded, until_s: float | None, other: Serve = OK) -> None:
    """MSF's users are cut off from second 20 on, and MSB is widened from 40 to 50."""

    def home(at_s: float) -> tuple[float, str]:
        return (0.01, "fail") if at_s >= 20 and (until_s is None or at_s < until_s) else (0.1, "ok")

    run.fault("1-fail", 20, 90, nodes=["maps-msf"])
    for at_s in (40, 45, 50):
        run.event(at_s, "block.widened", block="maps-msb", of="maps-msf", areas=1)
    run.probes("attach", 95, home, vantage="maps-msf")
    run.probes("attach", 95, other, vantage="maps-msb")


def test_without_an_access_network_there_is_nothing_to_say(record: Record) -> None:
    finding = access.check(record().end())
    assert (finding.verdict, finding.measured) == (Verdict.PASS, {})
    assert finding.why == "No access network was looked at, and nobody was without a signal."


def test_what_cannot_be_measured_is_no_pass(record: Record) -> None:
    assert access.check(record(access={"cut_off": 60.0}).end()).verdict is Verdict.UNKNOWN


def test_users_are_cut_off_from_the_first_who_is_not_let_in_until_all_are(record: Record) -> None:
    run = record(access={"cut_off": 60.0, "slower": 0.5})
    outage(run, until_s=50)
    finding = access.check(run.end())
    assert finding.verdict is Verdict.PASS, finding.why
    assert finding.measured["cut_off_s"] == pytest.approx(30, abs=0.3)
    assert finding.measured["cut_off_drill_s"] == pytest.approx(30 * SCALE, abs=0.3 * SCALE)
    assert (finding.measured["hit"], finding.measured["widened"]) == (["maps-msf"], 3)
    assert finding.measured["slower_ratio"] == 0.0


def test_too_long(record: Record) -> None:
    run = record(access={"cut_off": 20.0})
    outage(run, until_s=50)
    finding = access.check(run.end())
    assert finding.verdict is Verdict.FAIL
    assert "cut off from the access network: 30.1 s, expected at most 20.0 s" in finding.why


def test_an_outage_that_nobody_saw_the_end_of_is_no_pass(record: Record) -> None:
    run = record(access={"cut_off": 60.0})
    outage(run, until_s=None)
    finding = access.check(run.end())
    assert finding.measured["cut_off_s"] is None
    assert finding.verdict is not Verdict.PASS


@pytest.mark.parametrize(
    ("slow_s", "from_s", "until_s", "slower"),
    [
        (0.14, 40, 60, 0.4),  # all the time that the block was widened, and ten seconds after it
        (0.30, 40, 60, 2.0),
        (0.30, 25, 39, 0.0),  # before that
        (0.30, 62, 80, 0.0),  # after that
        (0.30, 40, 40.8, 0.0),  # fewer than one in twenty
        (0.30, 40, 41.2, 2.0),
    ],
)
def test_what_a_widening_costs_the_others_is_their_95th_percentile_while_it_lasts(
    record: Record, slow_s: float, from_s: float, until_s: float, slower: float
) -> None:
    run = record(access={"slower": 0.5})
    outage(run, 50, lambda at_s: (slow_s if from_s <= at_s < until_s else 0.1, "ok"))
    finding = access.check(run.end())
    assert finding.measured["slower_ratio"] == pytest.approx(slower, abs=0.01)
    assert (finding.verdict is Verdict.PASS) == (slower <= 0.5)


def test_to_be_refused_at_once_is_not_to_be_served_fast(record: Record) -> None:
    run = record(access={"slower": 0.5})
    outage(run, 50, lambda at_s: (0.01, "fail") if 40 <= at_s < 44 else (0.1, "ok"))
    finding = access.check(run.end())
    assert finding.measured["slower_ratio"] == pytest.approx(19.0, abs=0.1)
    assert finding.verdict is Verdict.FAIL


def test_of_few_users_nothing_can_be_told(record: Record) -> None:
    run = record(access={"slower": 0.5})
    run.fault("1-fail", 20, 90, nodes=["maps-msf"])
    for tick in range(10):
        run.probe("attach", 1.0 + tick, 0.1, vantage="maps-msb")
    assert access.check(run.end()).verdict is Verdict.UNKNOWN


def test_nobody_may_be_taken_for_another(record: Record) -> None:
    run = record()
    run.fault("1-cut", 20, 30, nodes=["maps-msf"])
    run.probes("attach", 95, vantage="maps-msb")
    run.probe("attach", 31, 0.1, outcome="fail", detail=MISTAKEN, vantage="maps-msf", person=3)
    for at_s, person in ((31.0, 7), (32.0, 7), (33.5, 8)):
        run.look(person, 0, at_s, outcome="fail", detail=MISTAKEN)
    finding = access.check(run.end())
    assert finding.verdict is Verdict.FAIL
    assert finding.why == "Users taken for another: 3, expected at most 0."
    assert finding.measured["mistaken"] == 3
    assert finding.measured["mistaken_until_s"] == pytest.approx(13.5, abs=0.3)


def test_who_had_no_signal_and_who_of_them_was_served_in_the_end(record: Record) -> None:
    run = record(access={"reached": 0.75})
    for person in range(1, 5):
        run.look(person, 0, 5, outcome="fail", detail="no signal")
        run.look(person, 0, 6, outcome="fail", detail="no signal")
    for person in range(2, 9):
        run.answer(person, 1, 30)
    run.look(9, 0, 5, outcome="fail", detail="timeout")
    finding = access.check(run.end())
    assert finding.verdict is Verdict.PASS, finding.why
    assert finding.measured == {"without_signal": 4, "reached": 3, "reached_ratio": 0.75}
    assert finding.why == "4 people had no signal, 3 of them answered in the end."


def test_who_was_never_reached(record: Record) -> None:
    run = record(access={"reached": 0.75})
    run.look(1, 0, 5, outcome="fail", detail="no signal")
    run.answer(2, 1, 5)
    assert access.check(run.end()).verdict is Verdict.FAIL


def test_a_block_is_hit_when_the_storage_that_it_is_on_is(record: Record) -> None:
    run = record()
    variables = {"COMPOSE_PROFILES": "maps"}
    run.run.write("topology.yml", flatten(library.TOPOLOGY, (), variables))
    run.fault("1-fail", 20, 90, nodes=["maps-msf-1"])
    for vantage in ("maps-msb", "maps-msf"):
        run.probes("attach", 95, vantage=vantage)
    assert access.check(run.end()).measured["hit"] == ["maps-msf"]
