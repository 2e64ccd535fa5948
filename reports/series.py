"""What the pictures draw, as numbers: rates, percentiles, states in time, backlogs. Pure; times in real seconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from reports.reading import Record

Floats: TypeAlias = npt.NDArray[np.float64]
Mask: TypeAlias = npt.NDArray[np.bool_]

CAPABILITIES: Final = ("read", "write", "login", "feed", "delivery", "attach")
STRIP_BIN_S: Final = 0.5
#: A probe that comes less often than the bins keeps its state for this long.
STRIP_HOLD_S: Final = 2.5
#: A database is watched ten times a second; what was not seen of it for less than this is a late look, not a state.
BLINK_S: Final = 1.0


@dataclass(frozen=True)
class Operations:
    """A table of operations as columns. Times are seconds since the record's origin."""

    intended_s: Floats
    invoked_s: Floats
    completed_s: Floats
    kind: npt.NDArray[np.str_]
    outcome: npt.NDArray[np.str_]
    vantage: npt.NDArray[np.str_]

    def where(self, mask: Mask) -> Operations:
        return Operations(
            self.intended_s[mask],
            self.invoked_s[mask],
            self.completed_s[mask],
            self.kind[mask],
            self.outcome[mask],
            self.vantage[mask],
        )


def tries(load: Operations) -> Operations:
    """The answers, and the pages that did not come: who sees no page cannot send an answer."""
    return load.where((load.kind == "answer") | ((load.kind == "look") & (load.outcome != "ok")))


def operations(record: Record, table: pa.Table) -> Operations:
    return Operations(
        times(record, table, "intended_ns"),
        times(record, table, "invoked_ns"),
        times(record, table, "completed_ns"),
        names(table, "kind"),
        names(table, "outcome"),
        names(table, "vantage"),
    )


def times(record: Record, table: pa.Table, column: str) -> Floats:
    """A column of instants as seconds since the origin; nulls are NaN."""
    nanoseconds = table.column(column).to_numpy(zero_copy_only=False)
    seconds: Floats = (nanoseconds - record.origin_ns) / 1e9
    return seconds


def names(table: pa.Table, column: str) -> npt.NDArray[np.str_]:
    """A column of words, dictionary or not; nulls are empty."""
    values = table.column(column)
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    return np.asarray(["" if value is None else value for value in values.to_pylist()], dtype=np.str_)


@dataclass(frozen=True)
class Rates:
    """Per bin of `width_s`: operations a second that were answered, and that were not."""

    at_s: Floats
    answered: Floats
    failed: Floats
    width_s: float


def rates(load: Operations, span: tuple[float, float], width_s: float = 1.0) -> Rates:
    """Throughput at the time each operation was over."""
    edges = bins(span, width_s)
    good = load.outcome == "ok"
    answered = np.histogram(load.completed_s[good], edges)[0] / width_s
    failed = np.histogram(load.completed_s[~good], edges)[0] / width_s
    return Rates(edges[:-1], answered, failed, width_s)


@dataclass(frozen=True)
class Latencies:
    """Percentiles per bin in milliseconds, from the intended time; NaN where nothing was answered."""

    at_s: Floats
    p50: Floats
    p95: Floats
    p99: Floats


def latencies(load: Operations, span: tuple[float, float], width_s: float = 1.0) -> Latencies:
    """Of what was answered, by the time it should have started: a stall counts for all who met it."""
    edges = bins(span, width_s)
    good = load.where(load.outcome == "ok")
    order = np.argsort(good.intended_s, kind="stable")
    intended = good.intended_s[order]
    milliseconds = (good.completed_s[order] - intended) * 1e3
    cuts = np.searchsorted(intended, edges)
    out = np.full((3, len(edges) - 1), np.nan)
    for number, (first, last) in enumerate(pairwise(cuts.tolist())):
        if last > first:
            out[:, number] = np.percentile(milliseconds[first:last], (50, 95, 99))
    return Latencies(edges[:-1] + width_s / 2, out[0], out[1], out[2])


@dataclass(frozen=True)
class Span:
    """A state that held from `from_s` to `until_s`."""

    from_s: float
    until_s: float
    state: str


def capability(probes: Operations, kind: str, vantage: str, span: tuple[float, float]) -> list[Span]:
    """States `up` (all answered), `partly`, `down` (none), by the time the probe should have started."""
    mine = (probes.kind == kind) & (probes.vantage == vantage)
    edges = bins(span, STRIP_BIN_S)
    total = np.histogram(probes.intended_s[mine], edges)[0]
    good = np.histogram(probes.intended_s[mine & (probes.outcome == "ok")], edges)[0]
    state = np.where(total == 0, "", np.where(good == total, "up", np.where(good == 0, "down", "partly")))
    return merged(edges, held(state.tolist()))


def held(states: list[str]) -> list[str]:
    """Bins without a state keep the last one for up to `STRIP_HOLD_S`."""
    left, last, out = 0, "", []
    for state in states:
        left = round(STRIP_HOLD_S / STRIP_BIN_S) if state else left - 1
        last = state or (last if left > 0 else "")
        out.append(last)
    return out


def merged(edges: Floats, states: Sequence[str]) -> list[Span]:
    """Neighbouring bins of one state become one span; bins without a state are left out."""
    spans: list[Span] = []
    for from_s, until_s, state in zip(edges[:-1].tolist(), edges[1:].tolist(), states, strict=True):
        if spans and spans[-1].state == state and spans[-1].until_s == from_s:
            spans[-1] = Span(spans[-1].from_s, until_s, state)
        elif state:
            spans.append(Span(from_s, until_s, state))
    return spans


@dataclass(frozen=True)
class Database:
    """What one node was, in time: `primary`, `claims` (primary, but no write was taken), `replica` or `silent`."""

    node: str
    roles: list[Span]
    leads: list[Span]
    #: When it first was primary on a timeline: (seconds, timeline id).
    promotions: list[tuple[float, int]]


def databases(record: Record) -> list[Database]:
    """One `Database` per node, sorted by name."""
    table = record.databases
    rows: dict[str, list[dict[str, Any]]] = {}
    for row in table.sort_by("at_ns").to_pylist():
        rows.setdefault(row["node"], []).append(row)
    return [_database(record, node, rows[node]) for node in sorted(rows)]


def _database(record: Record, node: str, rows: list[dict[str, Any]]) -> Database:
    seconds = [record.seconds(row["at_ns"]) for row in rows]
    step = float(np.median(np.diff(seconds))) if len(seconds) > 1 else 0.1
    edges = np.asarray([*seconds, seconds[-1] + step])
    promotions: list[tuple[float, int]] = []
    for at_s, row in zip(seconds, rows, strict=True):
        if row["role"] == "primary" and row["timeline"] not in [timeline for _, timeline in promotions]:
            promotions.append((at_s, row["timeline"]))
    roles = _steady(edges, [_role(row) for row in rows], ("claims", "silent"))
    leads = _steady(edges, ["leads" if row["leader"] == node else row["leader"] for row in rows], ("",))
    held = [state if state == "leads" else "" for state in leads]
    return Database(node, merged(edges, roles), merged(edges, held), promotions)


def _steady(edges: Floats, states: list[str], passing: tuple[str, ...]) -> list[str]:
    """Without the `passing` states that last less than `BLINK_S` between two of the same: one observation was late."""
    out, first = list(states), 0
    for state, run in groupby(states):
        last = first + len(list(run))
        between = first > 0 and last < len(states) and states[first - 1] == states[last]
        if state in passing and between and edges[last] - edges[first] < BLINK_S:
            out[first:last] = [states[last]] * (last - first)
        first = last
    return out


def _role(row: Mapping[str, Any]) -> str:
    if row["role"] == "primary":
        return "primary" if row["wrote"] else "claims"
    return "replica" if row["role"] else "silent"


@dataclass(frozen=True)
class Backlog:
    """Mails composed and not stored yet: all of them, and those the mail provider has not taken either."""

    at_s: Floats
    waiting: Floats
    at_service: Floats

    @property
    def empty(self) -> bool:
        return not self.at_s.size


def backlog(record: Record, span: tuple[float, float], width_s: float = 0.5) -> Backlog:
    """Composed minus stored, and composed minus submitted, counting each mail once per leg; probes left out."""
    at_s = bins(span, width_s)
    first = {leg: _first_times(record, leg) for leg in ("composed", "submitted", "stored")}
    if not first["composed"].size:
        none = np.empty(0)
        return Backlog(none, none, none)
    counts = {leg: np.searchsorted(values, at_s, side="right").astype(float) for leg, values in first.items()}
    waiting = counts["composed"] - counts["stored"]
    at_service = counts["composed"] - counts["submitted"] if first["submitted"].size else waiting
    return Backlog(at_s, np.maximum(waiting, 0), np.clip(at_service, 0, np.maximum(waiting, 0)))


def _first_times(record: Record, leg: str) -> Floats:
    table = record.mail[leg]
    first: dict[str, int] = {}
    for mail, at in zip(table.column("id").to_pylist(), table.column("at_ns").to_pylist(), strict=True):
        if mail and at is not None and not mail.startswith("probe-"):
            first[mail] = min(at, first.get(mail, at))
    return np.sort((np.asarray(list(first.values()), dtype=np.float64) - record.origin_ns) / 1e9)


def lag_ms(
    probes: Operations, span: tuple[float, float], width_s: float = 1.0
) -> tuple[Floats, Floats, Floats]:
    """How late the probes themselves started, per bin: (bin start, median, 99th percentile), milliseconds."""
    edges = bins(span, width_s)
    late = (probes.invoked_s - probes.intended_s) * 1e3
    where = np.digitize(probes.intended_s, edges) - 1
    out = np.full((2, len(edges) - 1), np.nan)
    for number in np.unique(where[(where >= 0) & (where < len(edges) - 1)]):
        out[:, number] = np.percentile(late[where == number], (50, 99))
    return edges[:-1], out[0], out[1]


def bins(span: tuple[float, float], width_s: float) -> Floats:
    """Edges of bins on multiples of their width that cover the span."""
    first, last = np.floor(span[0] / width_s), np.ceil(span[1] / width_s)
    edges: Floats = np.arange(first, max(last, first + 1) + 1) * width_s
    return edges
