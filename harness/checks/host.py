"""Host: can this run be believed. How late the probes came to run, and how hard pressed this machine was.

It judges the machine, never the service: the most it says is unknown. A starved host makes deadlines that were missed
unknown, in the checks that hold them.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from harness.checks.columns import ints
from harness.checks.recording import Recording
from harness.checks.terms import Breach, Term, conclude, hold, units, unknown
from harness.rundir import Json
from harness.rundir.verdict import Finding, Verdict

TERMS: Final = {
    "lag": Term("duration", "lag_p99_s", "at most", "probes started late, 99th percentile"),
    "max_lag": Term("duration", "lag_max_s", "at most", "probes started late, at the worst"),
    "busy": Term("ratio", "cpu_busy_ratio", "at most", "CPU busy"),
    "pressure": Term("ratio", "cpu_pressure_ratio", "at most", "time that something waited for a CPU"),
}
EXPECTS: Final = units(TERMS)

#: Probes are due ten times a second. One in a hundred a whole period late, and times are no longer those of users.
STARVED_LAG_P99_S: Final = 0.1


def check(recording: Recording) -> Finding:
    measured = _measured(recording)
    held = hold(TERMS, recording.stated("host"), measured)
    # Whatever the machine was like, it is no failure of the service.
    breaches = [Breach(Verdict.UNKNOWN, breach.says) for breach in held.breaches]
    if measured["lag_p99_s"] is None:
        breaches.append(unknown("no probe ran, so nobody knows whether this machine kept up"))
    well = _well(measured) if measured["probes"] else ""
    return Finding(*conclude(breaches, well), measured, held.expected)


def starved(recording: Recording) -> bool:
    """Whether this machine was too busy for the times that were measured on it."""
    lag_s = _lag_s(recording)
    return bool(len(lag_s)) and float(np.percentile(lag_s, 99)) > STARVED_LAG_P99_S


def _measured(recording: Recording) -> dict[str, Json]:
    lag_s = _lag_s(recording)
    busy, pressure = (_figures(recording, name) for name in ("cpu_busy", "psi_some_avg10"))
    free = _figures(recording, "mem_available")
    return {
        "probes": len(lag_s),
        "lag_p99_s": round(float(np.percentile(lag_s, 99)), 4) if len(lag_s) else None,
        "lag_max_s": round(float(lag_s.max()), 4) if len(lag_s) else None,
        "starved": starved(recording),
        "cpu_busy_ratio": round(float(np.mean(busy)), 3) if busy else None,
        "cpu_busy_max_ratio": round(max(busy), 3) if busy else None,
        "cpu_pressure_ratio": round(max(pressure), 3) if pressure else None,
        "memory_free_mib": round(min(free) / 2**20) if free else None,
    }


def _lag_s(recording: Recording) -> np.ndarray:
    probes = recording.probes
    return (ints(probes, "invoked_ns") - ints(probes, "intended_ns")) / 1e9


def _figures(recording: Recording, name: str) -> list[float]:
    return [float(value) for row in recording.host if isinstance(value := row.get(name), int | float)]


def _well(measured: dict[str, Json]) -> str:
    late = f"99 of 100 probes started within {float(str(measured['lag_p99_s'])) * 1000:.0f} ms of their time"
    return (
        f"the host was starved: {late}; deadlines that were missed are unknown"
        if measured["starved"]
        else late
    )
