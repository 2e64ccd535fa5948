"""What the machine was like while it measured: whether the run can be believed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reports.reading import Record
from reports.series import Floats, Operations
from reports.tables import Cell, cell
from reports.words import Words


@dataclass(frozen=True)
class Load:
    """host.jsonl as columns. Shares of 0 to 1, `sync_ms` of a small write; NaN where this machine does not tell."""

    at_s: Floats
    cpu: Floats
    pressure: Floats
    sync_ms: Floats


@dataclass(frozen=True)
class Fact:
    """A quantity of the host: its median and its worst moment."""

    label: str
    typical: Cell
    worst: Cell


def load(record: Record) -> Load:
    rows = [row for row in record.host if isinstance(row.get("at_ns"), int)]
    at_s = np.asarray([record.seconds(int(str(row["at_ns"]))) for row in rows])
    cpu, pressure, sync_s = (
        np.asarray([_number(row.get(key)) for row in rows], dtype=float)
        for key in ("cpu_busy", "psi_some_avg10", "sync_s")
    )
    return Load(at_s, cpu, pressure, sync_s * 1e3)


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else float("nan")


def facts(record: Record, probes: Operations, words: Words) -> list[Fact]:
    """Median and worst of what is known; what is not known is left out."""
    seen = load(record)
    lag_ms = (probes.invoked_s - probes.intended_s) * 1e3
    found = []
    for key, values, worst in (
        ("cpu_busy_share", seen.cpu, 100),
        ("psi_some_share", seen.pressure, 100),
        ("sync_ms", seen.sync_ms, 100),
        ("probe_lag_ms", lag_ms, 99.9),
    ):
        known = values[np.isfinite(values)]
        if known.size:
            typical, most = (round(float(np.percentile(known, at)), 4) for at in (50, worst))
            found.append(Fact(words(f"host.{key}"), cell(words, key, typical), cell(words, key, most)))
    return found
