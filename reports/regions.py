"""What each region of the service was in time, how far it followed, and how old the newest restorable instant was.

A region `writes` while a database of it takes writes; it `follows` while one answers that is not behind, and is
`behind` while each that is known to follow lags at least half of what is promised; it is `idle` while a primary takes
no write, or nobody knows how far it follows; it is `silent` while none of its databases answers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from harness.rundir import Json
from reports import series
from reports.faults import Fault
from reports.reading import Record, inside
from reports.series import Floats, Span

#: Any failure can be restored to 5 minutes before it (OPS, SEC). How far a region may lag is held against it in drill
#: time, as the alarm does, how old what a backup has in real time.
PROMISED_S: Final = 300.0
#: The alarm is raised at half of it, and from there on a region counts as behind.
BEHIND_AT: Final = 0.5
#: After a fault: long enough for databases to be given up on, before anybody has done anything about it.
SETTLED_S: Final = 3.5
_MOST_MOMENTS: Final = 5
_WRITES: Final = ("answer", "write")


@dataclass(frozen=True)
class Region:
    """One region. `lag_s` is that of its best database per bin that begins at `at_s`; NaN where it does not follow."""

    name: str
    states: list[Span]
    at_s: Floats
    lag_s: Floats

    def state(self, at_s: float) -> str:
        """Empty where nobody looked."""
        return next((span.state for span in self.states if span.from_s <= at_s < span.until_s), "")

    def lag(self, at_s: float) -> float | None:
        """Real seconds, where it follows at that time."""
        place = int(np.searchsorted(self.at_s, at_s, side="right")) - 1
        known = 0 <= place < len(self.lag_s) and np.isfinite(self.lag_s[place])
        return float(self.lag_s[place]) if known else None


@dataclass(frozen=True)
class Alarm:
    """A region fell behind (`raised`), or no longer is. `lag_s` as the alarm told it."""

    at_s: float
    region: str
    raised: bool
    lag_s: float


@dataclass(frozen=True)
class Age:
    """How old the newest instant was to which one backup node could restore, in real seconds, at each look."""

    node: str
    at_s: Floats
    age_real_s: Floats


@dataclass(frozen=True)
class Moment:
    """An instant worth a map. `key` is of the texts; `region` names who is concerned."""

    at_s: float
    key: str
    region: str = ""


def regions(record: Record, span: tuple[float, float]) -> list[Region]:
    """Every region of the service, in the topology's order."""
    if record.topology is None:
        return []
    of = {node.name: node.region for node in record.topology}
    edges = series.bins(span, series.STRIP_BIN_S)
    databases, lags = _databases(record, of, edges), _lags(record, edges)
    behind_s = PROMISED_S * BEHIND_AT / record.scale
    found = []
    for name in record.regions:
        nothing = np.full(len(edges) - 1, np.nan)
        lag_s = lags.get(name, nothing)
        states = [
            _state(look, lag, behind_s)
            for look, lag in zip(databases.get(name, [None] * (len(edges) - 1)), lag_s.tolist(), strict=True)
        ]
        follows = np.isin(states, ("follows", "behind"))
        found.append(
            Region(
                name, series.merged(edges, series.held(states)), edges[:-1], np.where(follows, lag_s, np.nan)
            )
        )
    return found


@dataclass
class _Look:
    """What was seen of a region's databases in one bin."""

    replica: bool = False
    primary: bool = False
    wrote: bool = False


def _databases(record: Record, of: Mapping[str, str], edges: Floats) -> dict[str, list[_Look | None]]:
    """Region -> one look a bin; None where nobody looked."""
    table = record.databases
    if not table.num_rows:
        return {}
    bins = np.digitize(series.times(record, table, "at_ns"), edges) - 1
    found: dict[str, list[_Look | None]] = {}
    columns = (series.names(table, "node").tolist(), series.names(table, "role").tolist())
    for place, node, role, wrote in zip(
        bins.tolist(), *columns, table.column("wrote").to_pylist(), strict=True
    ):
        if 0 <= place < len(edges) - 1 and node in of:
            mine = found.setdefault(of[node], [None] * (len(edges) - 1))
            look = mine[place] = mine[place] or _Look()
            look.replica |= role == "replica"
            look.primary |= role == "primary"
            look.wrote |= bool(wrote)
    return found


def _lags(record: Record, edges: Floats) -> dict[str, Floats]:
    """Region -> the least lag of its databases per bin, real seconds; a bin without a look has the one before."""
    table = record.replication
    if not table.num_rows:
        return {}
    bins = np.digitize(series.times(record, table, "at_ns"), edges) - 1
    acknowledged, shown = (
        table.column(name).to_numpy(zero_copy_only=False).astype(np.float64)
        for name in ("acknowledged_ns", "shown_ns")
    )
    lag_s = np.where((acknowledged > 0) & (shown > 0), np.maximum(acknowledged - shown, 0) / 1e9, np.nan)
    names = series.names(table, "region")
    found: dict[str, Floats] = {}
    for name in np.unique(names).tolist():
        known = (names == name) & np.isfinite(lag_s) & (bins >= 0) & (bins < len(edges) - 1)
        least = np.full(len(edges) - 1, np.inf)
        np.minimum.at(least, bins[known], lag_s[known])
        found[name] = _carried(np.where(np.isfinite(least), least, np.nan))
    return found


def _carried(values: Floats) -> Floats:
    """A look that came a moment late leaves no hole: the last value is kept for up to two bins."""
    out = values.copy()
    for place in range(1, len(out)):
        if np.isnan(values[place]):
            out[place] = next((one for one in values[max(0, place - 2) : place][::-1] if one == one), np.nan)
    return out


def _state(look: _Look | None, lag_s: float, behind_s: float) -> str:
    if look is None:
        return ""
    if look.wrote:
        return "writes"
    if not look.replica:
        return "idle" if look.primary else "silent"
    if lag_s != lag_s:
        return "idle"
    return "behind" if lag_s >= behind_s else "follows"


def alarms(record: Record) -> list[Alarm]:
    """What the alarm of replication said, in order."""
    found = []
    for event in record.events:
        lag_s = event.data.get("lag_s")
        if event.kind in ("alarm.raised", "alarm.over") and isinstance(lag_s, int | float):
            raised = event.kind == "alarm.raised"
            found.append(
                Alarm(record.seconds(event.at_ns), str(event.data.get("region", "")), raised, float(lag_s))
            )
    return found


def ages(record: Record) -> list[Age]:
    """Each backup node by itself, while the timeline lasted: since when writes are acknowledged that it has not.

    As in the check `backups`: a node that does not answer keeps what it had; one that says it has nothing has nothing.
    """
    began_ns, ended_ns = (_first_ns(record, kind) for kind in ("timeline.started", "timeline.ended"))
    acknowledged = _acknowledged_ns(record)
    if began_ns is None or not acknowledged.size:
        return []
    looks: dict[str, list[tuple[int, Json, bool]]] = {}
    for row in record.backups:
        at_ns, node = row.get("at_ns"), row.get("node")
        if isinstance(at_ns, int) and isinstance(node, str):
            looks.setdefault(node, []).append((at_ns, row.get("reached_ns"), row.get("answered") is True))
    found = []
    for node, mine in sorted(looks.items()):
        points, reached_ns = [], began_ns
        for at_ns, told_ns, answered in sorted(mine, key=lambda look: look[0]):
            if answered:
                reached_ns = told_ns if isinstance(told_ns, int) else began_ns
            if at_ns >= began_ns and (ended_ns is None or at_ns <= ended_ns):
                missing = acknowledged[np.searchsorted(acknowledged, reached_ns, side="right") :][:1]
                age_s = max(0, at_ns - int(missing[0])) / 1e9 if len(missing) else 0.0
                points.append((record.seconds(at_ns), age_s))
        if points:
            at_s, age_real_s = (np.asarray(column) for column in zip(*points, strict=True))
            found.append(Age(node, at_s, age_real_s))
    return found


def limit_s(record: Record) -> float:
    """What the check held the age against, in real seconds; the promise, where no check has told."""
    found = inside(record.finding("backups"), "expected").get("newest_restorable_age_real_s")
    return float(found) if isinstance(found, int | float) else PROMISED_S


def _acknowledged_ns(record: Record) -> Any:
    """When writes were acknowledged, in order."""
    found = []
    for table in (record.load, record.probes):
        good = np.isin(series.names(table, "kind"), _WRITES) & (series.names(table, "outcome") == "ok")
        found.append(table.column("completed_ns").to_numpy(zero_copy_only=False)[good])
    return np.sort(np.concatenate(found))


def _first_ns(record: Record, kind: str) -> int | None:
    return next((event.at_ns for event in record.events if event.kind == kind), None)


def moments(found: Sequence[Region], faults: Sequence[Fault], until_s: float) -> list[Moment]:
    """The instants that tell most: before the first fault, after each, when another region takes over, the end.

    Of more faults than there is room for the last ones are told, and so it is of regions that take over.
    """
    last_s = max((region.states[-1].until_s for region in found if region.states), default=until_s)
    end = Moment(min(until_s, last_s) - series.STRIP_BIN_S / 2, "moment.end")
    began = sorted(fault.from_s for fault in faults if fault.from_s < end.at_s)
    takes = [(at_s, name) for at_s, name in _takeovers(found) if at_s < end.at_s]
    if not began:
        chosen = [Moment(min(max(0.0, _seen_from(found)), end.at_s), "moment.start")]
    else:
        room = _MOST_MOMENTS - 2 - min(len(takes), 1)
        after = _settled(began, [*(at_s for at_s, _ in takes), end.at_s])[-room:]
        chosen = [
            Moment(began[0] - 1, "moment.before"),
            *(Moment(at_s, "moment.after") for at_s in after),
        ]
    room = _MOST_MOMENTS - 1 - len(chosen)
    chosen += [Moment(at_s, "moment.takes_over", name) for at_s, name in takes[max(0, len(takes) - room) :]]
    return sorted([*chosen, end], key=lambda moment: moment.at_s)


def _settled(began: Sequence[float], further: Sequence[float]) -> list[float]:
    """When each fault has had its effect, and nothing else has happened yet; of a burst of faults the last one."""
    out = []
    for at_s, next_s in zip(began, [*began[1:], math.inf], strict=True):
        if next_s - at_s >= SETTLED_S:
            then_s = min(one for one in (next_s, *further, math.inf) if one > at_s)
            out.append(min(at_s + SETTLED_S, (at_s + then_s) / 2))
    return out


def _seen_from(found: Sequence[Region]) -> float:
    return min((region.states[0].from_s for region in found if region.states), default=0.0)


def _takeovers(found: Sequence[Region]) -> list[tuple[float, str]]:
    """When another region than the last one to write began to: (a moment later, region)."""
    written = sorted(
        (span.from_s, region.name) for region in found for span in region.states if span.state == "writes"
    )
    out, writer = [], written[0][1] if written else ""
    for from_s, name in written:
        if name != writer:
            out.append((from_s + series.STRIP_BIN_S / 2, name))
            writer = name
    return out
