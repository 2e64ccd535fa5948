"""Host: can this run be believed. How late the probes came to run, how hard pressed this machine was, and how quick
its disk.

It judges the machine, never the service: the most it says is unknown. A starved host makes deadlines that were missed
unknown, in the checks that hold them. It shows in two ways. The probes came late: as they run before all others, then
nothing of the run can be believed. Or something waited for a CPU all through the time in which a deadline was missed:
then that deadline says nothing of the service. One that is down, and does nothing, waits for no CPU.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from harness.checks.columns import Ints, ints
from harness.checks.recording import Recording
from harness.checks.terms import Breach, Term, conclude, hold, units, unknown
from harness.rundir import Json
from harness.rundir.verdict import Finding, Verdict

TERMS: Final = {
    "lag": Term("duration", "lag_p99_s", "at most", "probes started late, 99th percentile"),
    "max_lag": Term("duration", "lag_max_s", "at most", "probes started late, at the worst"),
    "busy": Term("ratio", "cpu_busy_ratio", "at most", "CPU busy"),
    "sync": Term("duration", "disk_sync_max_s", "at most", "until a small write was on the disk"),
    "pressure": Term("ratio", "cpu_pressure_ratio", "at most", "time that something waited for a CPU"),
}
EXPECTS: Final = units(TERMS)

#: Probes are due ten times a second. One in a hundred a whole period late, and times are no longer those of users.
STARVED_LAG_P99_S: Final = 0.1
#: Pressure from which a time is one of starvation. On two cores 0.2 to 0.5 while a region is down, 0.5 to 0.9 under the
#: load of a drill, 0.95 to 1 while twenty nodes start beside it.
STARVED_PRESSURE: Final = 0.9
#: A disk that takes so long over a small write makes databases and consensus stores wait as if they had failed: the
#: service gives up on what does not answer within it.
STALLED_SYNC_S: Final = 1.0
#: The kernel counts pressure every two seconds: of less time nothing is known.
PRESSURE_STEP_NS: Final = 2_000_000_000


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


def pressed(recording: Recording, from_ns: int, until_ns: int) -> bool:
    """Whether something waited for a CPU nearly all through that time."""
    at_ns, waited_us = _waited(recording)
    short_ns = max(0, PRESSURE_STEP_NS - (until_ns - from_ns)) // 2
    first = int(np.searchsorted(at_ns, from_ns - short_ns, side="right")) - 1
    last = min(int(np.searchsorted(at_ns, until_ns + short_ns)), len(at_ns) - 1)
    if first < 0 or last <= first:
        return False
    share = (waited_us[last] - waited_us[first]) * 1000 / (at_ns[last] - at_ns[first])
    return bool(share >= STARVED_PRESSURE)


def _pressed_s(recording: Recording) -> float | None:
    """For how many seconds of the timeline that was so; None where the kernel does not count it."""
    began_ns, ended_ns = _span(recording)
    if not len(_waited(recording)[0]):
        return None
    steps = range(began_ns, ended_ns, PRESSURE_STEP_NS)
    return (
        sum(pressed(recording, at_ns, at_ns + PRESSURE_STEP_NS) for at_ns in steps) * PRESSURE_STEP_NS / 1e9
    )


def _waited(recording: Recording) -> tuple[Ints, Ints]:
    """When the kernel was asked, and for how many microseconds something had waited until then."""
    rows = [
        (at_ns, waited_us)
        for row in recording.host
        if isinstance(at_ns := row.get("at_ns"), int) and isinstance(waited_us := row.get("psi_some_us"), int)
    ]
    found = np.array(rows, np.int64).reshape(-1, 2)
    return found[:, 0], found[:, 1]


def _span(recording: Recording) -> tuple[int, int]:
    """The timeline; all that was seen of the machine where it has no beginning or no end."""
    seen = [at_ns for row in recording.host if isinstance(at_ns := row.get("at_ns"), int)]
    began, ended = recording.first("timeline.started"), recording.first("timeline.ended")
    return (
        began.at_ns if began else min(seen, default=0),
        ended.at_ns if ended else max(seen, default=0),
    )


def _measured(recording: Recording) -> dict[str, Json]:
    lag_s = _lag_s(recording)
    busy, pressure = (_figures(recording, name) for name in ("cpu_busy", "psi_some_avg10"))
    free, synced = _figures(recording, "mem_available"), _figures(recording, "sync_s")
    return {
        "probes": len(lag_s),
        "lag_p99_s": round(float(np.percentile(lag_s, 99)), 4) if len(lag_s) else None,
        "lag_max_s": round(float(lag_s.max()), 4) if len(lag_s) else None,
        "starved": starved(recording),
        "cpu_busy_ratio": round(float(np.mean(busy)), 3) if busy else None,
        "cpu_busy_max_ratio": round(max(busy), 3) if busy else None,
        "cpu_pressure_ratio": round(max(pressure), 3) if pressure else None,
        "cpu_pressed_s": _pressed_s(recording),
        "disk_sync_max_s": round(max(synced), 4) if synced else None,
        "memory_free_mib": round(min(free) / 2**20) if free else None,
    }


def _lag_s(recording: Recording) -> np.ndarray:
    probes = recording.probes
    return (ints(probes, "invoked_ns") - ints(probes, "intended_ns")) / 1e9


def _figures(recording: Recording, name: str) -> list[float]:
    """While the timeline lasted: what starting the nodes takes hurts no user."""
    began_ns, ended_ns = _span(recording)
    rows = (row for row in recording.host if began_ns <= int(str(row.get("at_ns", 0))) <= ended_ns)
    return [float(value) for row in rows if isinstance(value := row.get(name), int | float)]


def _well(measured: dict[str, Json]) -> str:
    late = f"99 of 100 probes started within {float(str(measured['lag_p99_s'])) * 1000:.0f} ms of their time"
    if measured["starved"]:
        return f"the host was starved: {late}; deadlines that were missed are unknown"
    slow_s = measured["disk_sync_max_s"]
    if isinstance(slow_s, float) and slow_s >= STALLED_SYNC_S:
        late += f"; a write took up to {slow_s:.1f} s to reach this machine's disk"
    if measured["cpu_pressed_s"]:
        pressed_s = f"{measured['cpu_pressed_s']:.0f} s"
        return f"{late}; for {pressed_s} something always waited for a CPU: deadlines missed then are unknown"
    return late
