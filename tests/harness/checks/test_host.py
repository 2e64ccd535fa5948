"""Whether the machine can be believed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.checks import host
from harness.rundir.verdict import Verdict
from tests.harness.checks.recorded import Recorded, ns

Record = Callable[..., Recorded]


def test_what_the_machine_was_like(record: Record) -> None:
    run = record()
    for tick in range(200):
        run.probe("read", tick / 10, 0.02, lag_s=0.001 if tick else 0.03)
    for at_s, busy in ((0.0, 0.4), (0.5, 0.8)):
        disk = {"sync_s": busy / 100}
        run.host(at_s, cpu_busy=busy, psi_some_avg10=busy / 4, load1=1.0, mem_available=2**30, **disk)
    finding = host.check(run.end())
    assert finding.verdict is Verdict.PASS
    assert finding.measured == {
        "probes": 200,
        "lag_p99_s": pytest.approx(0.001, abs=1e-3),
        "lag_max_s": pytest.approx(0.03),
        "starved": False,
        "cpu_busy_ratio": pytest.approx(0.6),
        "cpu_busy_max_ratio": 0.8,
        "cpu_pressure_ratio": 0.2,
        "cpu_pressed_s": None,
        "disk_sync_max_s": 0.008,
        "memory_free_mib": 1024,
    }


def test_a_disk_that_took_nothing_for_a_while_is_told(record: Record) -> None:
    run = record()
    run.probe("read", 0.0)
    for tick, sync_s in enumerate((0.001, 4.2, 0.001)):
        run.host(float(tick), sync_s=sync_s)
    finding = host.check(run.end())
    assert (finding.verdict, finding.measured["disk_sync_max_s"]) == (Verdict.PASS, 4.2)
    assert "a write took up to 4.2 s to reach this machine's disk" in finding.why


def test_a_starved_host_fails_nothing_by_itself(record: Record) -> None:
    run = record()
    for tick in range(100):
        run.probe("read", tick / 10, 0.5, lag_s=0.4 if tick % 20 == 0 else 0.0)
    recording = run.end()
    assert host.starved(recording)
    assert host.check(recording).verdict is Verdict.PASS


def test_what_a_scenario_demands_of_the_host_is_at_worst_unknown(record: Record) -> None:
    run = record(host={"max_lag": 0.1})
    run.probe("read", 0.0, 0.5, lag_s=0.4)
    assert host.check(run.end()).verdict is Verdict.UNKNOWN


def test_without_probes_nobody_knows(record: Record) -> None:
    assert host.check(record().end()).verdict is Verdict.UNKNOWN


def pressure(run: Recorded, *spans: tuple[float, float, float]) -> None:
    """Looked at twice a second: from when, until when, and in what share of that time something waited for a CPU."""
    waited_us, first_s = 0.0, spans[0][0]
    run.host(first_s, psi_some_us=0)
    for from_s, until_s, share in spans:
        for tick in range(1, round((until_s - from_s) * 2) + 1):
            waited_us += share * 500_000
            run.host(from_s + tick / 2, psi_some_us=round(waited_us))


@pytest.mark.parametrize(
    ("from_s", "until_s", "is_pressed"),
    [
        (31, 39, True),
        (35, 35.2, True),  # less than the kernel counts
        (28, 39, False),  # two of eleven seconds were easy
        (10, 20, False),
        (5, 60, False),
        (-50, -40, False),  # before anybody looked
        (70, 80, False),  # and after
    ],
)
def test_a_host_is_pressed_where_something_waits_all_the_time(
    record: Record, from_s: float, until_s: float, is_pressed: bool
) -> None:
    run = record()
    pressure(run, (0, 30, 0.4), (30, 40, 0.97), (40, 60, 0.6))
    assert host.pressed(run.end(), ns(from_s), ns(until_s)) is is_pressed


def test_how_long_it_was_is_told_and_starting_the_nodes_does_not_count(record: Record) -> None:
    run = record()
    run.probe("read", 0.0)
    run.event(0.0, "timeline.started")
    pressure(run, (-20, 0, 1.0), (0, 30, 0.4), (30, 40, 0.97), (40, 99, 0.6))
    finding = host.check(run.end())
    assert finding.measured["cpu_pressed_s"] == pytest.approx(10, abs=2)
    assert "something always waited for a CPU" in finding.why
