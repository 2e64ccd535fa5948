"""Capacity: what the service carried. Answers a second, and how long people waited from when they meant to answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import pyarrow as pa

from harness.checks.columns import Flags, ints, is_one_of, words
from harness.checks.expectations import asked, expectations
from harness.checks.recording import Recording
from harness.checks.terms import Term, conclude, units
from harness.rundir import Json
from harness.rundir.verdict import Finding

TERMS: Final = {
    "answered": Term("count", "answered", "at least", "answers of the drill acknowledged"),
    "peak": Term("count", "peak_per_s", "at least", "answers acknowledged in the best second"),
    "p50": Term("duration", "p50_s", "at most", "time to be answered, median", deadline=True),
    "p95": Term("duration", "p95_s", "at most", "time to be answered, 95th percentile", deadline=True),
    "p99": Term("duration", "p99_s", "at most", "time to be answered, 99th percentile", deadline=True),
    "errors": Term("ratio", "errors_ratio", "at most", "requests that failed"),
    "failed_after_retries": Term(
        "count", "failed_after_retries", "at most", "requests that failed, and not just until the next try"
    ),
}
EXPECTS: Final = units(TERMS)
_PERCENTILES: Final = (50, 95, 99)
#: A request that failed, and whose sender was served by another try within this time, is a retry.
RETRIED_WITHIN_NS: Final = 5_000_000_000


def check(recording: Recording) -> Finding:
    table = recording.operations
    ok = is_one_of(table, "outcome", "ok")
    answers, looks = (is_one_of(table, "kind", kind) for kind in ("answer", "look"))
    measured = _measured(table, answers, ok)
    measured["failed_after_retries"] = sum(_failed(table, rows, ok) for rows in (answers, looks))
    held = expectations(recording, "capacity", TERMS, measured)
    detail: dict[str, Json] = {"answer": dict(measured), "look": dict(_measured(table, looks, ok))}
    for column in ("vantage", "endpoint"):
        detail[column] = {
            name: dict(_measured(table, answers & is_one_of(table, column, name), ok))
            for name in words(table, column)
        }
    part = asked(recording, "capacity", looked=bool((answers | looks).any()), breaches=held.breaches)
    return Finding(*conclude(held.breaches, _well(measured)), measured, held.expected, (), detail, part)


def _measured(table: pa.Table, rows: Flags, ok: Flags) -> dict[str, Json]:
    """Latency is of requests that were answered, from the intended time; null where there is none."""
    intended, completed = ints(table, "intended_ns"), ints(table, "completed_ns")
    good = rows & ok
    waited_s = (completed - intended)[good] / 1e9
    asked = int(np.count_nonzero(rows))
    percentiles = (
        np.percentile(waited_s, _PERCENTILES).tolist() if len(waited_s) else [None] * len(_PERCENTILES)
    )
    return {
        "answered": len(waited_s),
        "requests": asked,
        "peak_per_s": _peak(completed[good]),
        **{
            f"p{share}_s": None if value is None else round(value, 4)
            for share, value in zip(_PERCENTILES, percentiles, strict=True)
        },
        "errors_ratio": round(1 - len(waited_s) / asked, 5) if asked else None,
    }


def _failed(table: pa.Table, rows: Flags, ok: Flags) -> int:
    """How many requests failed without their sender being served within `RETRIED_WITHIN_NS` of the beginning."""
    who = np.unique(ints(table, "key"), return_inverse=True)[1]
    invoked, completed = ints(table, "invoked_ns"), ints(table, "completed_ns")
    good, bad = rows & ok, rows & ~ok
    if not bad.any():
        return 0
    first = min(int(invoked.min()), int(completed.min()))
    span = int(completed.max()) - first + 2 * RETRIED_WITHIN_NS
    # One number for person and time, so that one search finds everyone's next success.
    served = np.sort(who[good] * span + (completed[good] - first))
    asked = who[bad] * span + (invoked[bad] - first)
    place = np.searchsorted(served, asked)
    found = place < len(served)
    later = served[np.minimum(place, len(served) - 1)] if len(served) else asked
    return int(np.count_nonzero(~(found & (later - asked <= RETRIED_WITHIN_NS))))


def _peak(completed_ns: np.ndarray) -> int:
    """The most in any whole second."""
    if not len(completed_ns):
        return 0
    return int(np.bincount((completed_ns - completed_ns.min()) // 1_000_000_000).max())


def _well(measured: Mapping[str, Json]) -> str:
    if not measured["answered"]:
        return "nobody answered"
    p95_ms = float(str(measured["p95_s"])) * 1000
    most = f"{measured['peak_per_s']} a second at the most"
    return f"{measured['answered']:,} answers of the drill were acknowledged, {most}, 95 of 100 within {p95_ms:.0f} ms"
