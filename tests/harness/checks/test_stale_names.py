"""Users behind caches that kept old names decide when a region is back; a run in which nobody was is no proof."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.checks import recovery
from harness.library import TOPOLOGY
from harness.rundir.verdict import Verdict
from tests.harness.checks.recorded import Recorded
from topology.flat import flatten

Record = Callable[..., Recorded]
Served = Callable[[float, int], bool]


def stale(run: Recorded, at_s: float, share: float) -> None:
    """Of docomo's caches; it has ten, so a person's is the last digit of their number."""
    run.run.write("topology.yml", flatten(TOPOLOGY))
    run.plan(id="1-stale", verb="stale", aim={"carrier": "docomo", "share": share, "keeps_s": 75.0})
    run.event(at_s, "fault.injecting", fault="1-stale", verb="stale", nodes=["docomo-resolver"])
    run.event(at_s, "fault.injected", fault="1-stale")
    run.event(at_s, "fault.proven", fault="1-stale", effect="proven", proof="5 of 10 caches")


def lost_region(run: Recorded, served: Served) -> None:
    """Lost at 40 s. A hundred attempts a second, person after person; the servers write again from 55 s on."""
    run.fault("2-lose", 40.0)
    run.probes("write", 134, lambda at_s: (0.7, "info") if 40 <= at_s < 55 else (0.02, "ok"))
    for number in range(13_000):
        at_s = number / 100
        run.answer(number + 1, 1, at_s, "ok" if at_s < 40 or served(at_s, number + 1) else "info")


def keeps_old(person: int) -> bool:
    return person % 10 < 5


def test_users_behind_old_names_are_told_apart_and_decide(record: Record) -> None:
    run = record(recovery={"users": 90.0, "stale_users": 60.0, "stale_longer": 20.0})
    stale(run, 35.0, 0.5)
    lost_region(run, lambda at_s, person: at_s >= (105 if keeps_old(person) else 60))
    finding = recovery.check(run.end(130))
    assert finding.measured["stale_users_s"] == pytest.approx(65, abs=0.3)
    assert finding.measured["other_users_s"] == pytest.approx(20, abs=0.3)
    assert finding.measured["stale_longer_s"] == pytest.approx(45, abs=0.3)
    assert finding.measured["write_rto_s"] == pytest.approx(15, abs=0.1)
    assert finding.verdict is Verdict.FAIL
    assert finding.why.startswith(
        "Time until 99% of those behind caches that kept the old name were answered again: 6"
    )


def test_what_they_waited_is_told_where_all_is_well(record: Record) -> None:
    run = record(recovery={"users": 90.0, "stale_users": 90.0, "stale_longer": 20.0})
    stale(run, 35.0, 0.5)
    lost_region(run, lambda at_s, person: at_s >= (105 if keeps_old(person) else 60))
    finding = recovery.check(run.end(130))
    assert finding.verdict is Verdict.PASS, finding.why
    assert "users behind caches that kept the old name were answered again after 6" in finding.why


def test_a_run_in_which_they_waited_no_longer_shows_nothing(record: Record) -> None:
    run = record(recovery={"users": 90.0, "stale_longer": 20.0})
    stale(run, 0.0, 0.5)
    lost_region(run, lambda at_s, person: at_s >= 60)
    finding = recovery.check(run.end(130))
    assert finding.verdict is Verdict.UNKNOWN
    assert "without which nothing is shown" in finding.why


def test_only_the_share_that_kept_them_counts(record: Record) -> None:
    run = record()
    stale(run, 35.0, 0.2)
    lost_region(run, lambda at_s, person: at_s >= (105 if person % 10 < 2 else 60))
    finding = recovery.check(run.end(130))
    assert finding.measured["stale_users_s"] == pytest.approx(65, abs=0.3)
    assert finding.measured["other_users_s"] == pytest.approx(20, abs=0.3)


def test_without_such_caches_nobody_is_told_apart(record: Record) -> None:
    run = record()
    lost_region(run, lambda at_s, person: at_s >= 60)
    assert "stale_users_s" not in recovery.check(run.end(130)).measured
