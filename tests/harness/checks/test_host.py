"""Whether the machine can be believed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.checks import host
from harness.rundir.verdict import Verdict
from tests.harness.checks.recorded import Recorded

Record = Callable[..., Recorded]


def test_what_the_machine_was_like(record: Record) -> None:
    run = record()
    for tick in range(200):
        run.probe("read", tick / 10, 0.02, lag_s=0.001 if tick else 0.03)
    for at_s, busy in ((0.0, 0.4), (0.5, 0.8)):
        run.host(at_s, cpu_busy=busy, psi_some_avg10=busy / 4, load1=1.0, mem_available=2**30)
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
        "memory_free_mib": 1024,
    }


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
