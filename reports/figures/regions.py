"""The picture of a run with several regions: maps at the instants that tell most, and each region over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator

from reports import regions
from reports.faults import Fault
from reports.figures import canvas, lanes, strips
from reports.figures import map as map_figure
from reports.figures.scale import TimeScale
from reports.figures.stack import HEAD_IN, Panel, Stack
from reports.figures.strips import Look
from reports.names import Names
from reports.reading import Record
from reports.regions import PROMISED_S, Age, Alarm, Moment, Region
from reports.runbooks import Performance
from reports.words import Words, number

LOOKS: Final[Mapping[str, Look]] = {
    "writes": Look(canvas.BLUE, 0.8),
    "follows": Look(canvas.SKY, 0.26),
    "behind": Look(canvas.PARTLY, 0.56, "||||"),
    "idle": Look(canvas.BLUE, 0.8, "////", hollow=True),
    "silent": Look(canvas.STONE, 0.5, "xxxx", hollow=True),
}
_MAP_IN: Final = 1.7
_MARGIN_IN: Final = 0.3
_STRIP_IN: Final = 0.26
_LINES: Final[tuple[dict[str, Any], ...]] = (
    {"color": canvas.BLUE, "ls": "-", "lw": 1.5},
    {"color": canvas.UP, "ls": (0, (4, 1.5)), "lw": 1.5},
    {"color": canvas.VIOLET, "ls": (0, (1, 1.2)), "lw": 1.7},
    {"color": canvas.INK, "ls": (0, (6, 1.5, 1, 1.5)), "lw": 1.3},
)
_PROMISE: Final[dict[str, Any]] = {"color": canvas.DOWN, "ls": (0, (7, 3)), "lw": 1.2}
_ALARM: Final[dict[str, Any]] = {
    "ls": "",
    "marker": "v",
    "ms": 7,
    "color": canvas.DOWN,
    "mew": 1.4,
    "clip_on": False,
}


@dataclass(frozen=True)
class Seen:
    """All that the picture shows."""

    regions: Sequence[Region]
    moments: Sequence[Moment]
    alarms: Sequence[Alarm]
    ages: Sequence[Age]
    restorable_limit_s: float


def seen(record: Record, faults: Sequence[Fault], time: TimeScale) -> Seen:
    found = regions.regions(record, time.span)
    return Seen(
        found,
        regions.moments(found, faults, time.until_s),
        regions.alarms(record),
        regions.ages(record),
        regions.limit_s(record),
    )


def draw(
    record: Record,
    faults: Sequence[Fault],
    runbooks: Sequence[Performance],
    time: TimeScale,
    names: Names,
    words: Words,
    folder: Path,
) -> canvas.Picture:
    """Write the picture into `folder`. The run has more than one region."""
    told = seen(record, faults, time)
    with canvas.style():
        figure = compose(told, record, faults, runbooks, time, names, words)
        alt = words("alt.regions", regions=len(told.regions), moments=len(told.moments))
        return canvas.finish(figure, folder, "regions", alt, png=True)


def compose(
    told: Seen,
    record: Record,
    faults: Sequence[Fault],
    runbooks: Sequence[Performance],
    time: TimeScale,
    names: Names,
    words: Words,
) -> Figure:
    """The maps in a row, then all else on the run's time axis."""
    panels = [
        Panel(
            words("panel.regions"),
            _STRIP_IN * len(told.regions),
            lambda axes: _strips(axes, told, names, words, time),
        ),
        Panel(words("panel.replication"), 1.15, lambda axes: _lags(axes, told, time, names, words)),
    ]
    if told.ages:
        limit_s = told.restorable_limit_s
        panels.append(
            Panel(words("panel.restorable"), 0.95, lambda axes: _ages(axes, told.ages, limit_s, words))
        )
    marks = [mark for mark in lanes.performed(runbooks, words) if time.from_s <= mark.at_s <= time.until_s]
    labels = [names.fault(fault) for fault in faults]
    items = lanes.arrange(canvas.sheet(1), time, faults, labels, marks)
    lane_in = lanes.rows(items) * lanes.ROW_IN if items else 0.08
    stack = Stack(items, panels, top_in=HEAD_IN + _MAP_IN + 0.52, lane_in=lane_in)
    figure = canvas.sheet(stack.height_in)
    _maps(figure, told, record, faults, names, words)
    stack.draw(figure, faults, time, words)
    return figure


# -- the maps -----------------------------------------------------------------------------------------------------


def _maps(
    figure: Figure, told: Seen, record: Record, faults: Sequence[Fault], names: Names, words: Words
) -> None:
    """One a moment, side by side, each as wide as there is room for but no wider than is good."""
    gap_in, count = 0.12, len(told.moments)
    whole_in = canvas.WIDTH_IN - 2 * _MARGIN_IN
    width_in = min(2.6, (whole_in - gap_in * (count - 1)) / count)
    height_in = figure.get_figheight()
    for place, moment in enumerate(told.moments):
        left_in = _MARGIN_IN + place * (width_in + gap_in)
        axes = figure.add_axes(
            (
                left_in / canvas.WIDTH_IN,
                1 - (HEAD_IN + _MAP_IN) / height_in,
                width_in / canvas.WIDTH_IN,
                _MAP_IN / height_in,
            )
        )
        title = words(moment.key, at=number(round(moment.at_s, 1)), region=names.region(moment.region))
        look = {"fontsize": 9, **canvas.bold(title)}
        canvas.heading(axes, canvas.fitted(figure, canvas.plain(title), width_in, **look))
        map_figure.draw(
            axes,
            [_place(region, moment, names, words) for region in told.regions],
            _roads(record, faults, moment, words),
        )


def _place(region: Region, moment: Moment, names: Names, words: Words) -> map_figure.Place:
    state, lag_s = region.state(moment.at_s), region.lag(moment.at_s)
    said = words(f"region.{state}.short") if state else words("region.unseen")
    if state in ("follows", "behind") and lag_s is not None:
        said = words(f"region.{state}.lag", lag=f"{lag_s:.1f}")
    return map_figure.Place(region.name, names.region(region.name), LOOKS.get(state), said)


def _roads(record: Record, faults: Sequence[Fault], moment: Moment, words: Words) -> list[map_figure.Road]:
    roads = []
    for link in record.topology.links if record.topology else ():
        cut = any(
            link.node in fault.nodes
            and fault.verb in ("cut", "lose")
            and fault.from_s <= moment.at_s
            and (fault.until_s is None or moment.at_s < fault.until_s)
            for fault in faults
        )
        said = words("link.cut") if cut else f"{number(link.round_trip_s * 1000)}\u202f{words('unit.ms')}"
        roads.append(map_figure.Road(link.between, said, cut))
    return roads


# -- over time ----------------------------------------------------------------------------------------------------


def _strips(axes: Axes, told: Seen, names: Names, words: Words, time: TimeScale) -> None:
    lines = [strips.Strip("", names.region(region.name), region.states) for region in told.regions]
    canvas.legend(axes, strips.key(LOOKS, words, "region"))
    strips.draw(axes, lines, LOOKS, time)


def _lags(axes: Axes, told: Seen, time: TimeScale, names: Names, words: Words) -> None:
    following = [region for region in told.regions if np.isfinite(region.lag_s).any()]
    if not following:
        return canvas.note(axes, words("none.replication"))
    handles: list[Artist] = []
    for place, region in enumerate(following):
        look = _LINES[place % len(_LINES)]
        axes.plot(region.at_s + 0.25, region.lag_s, **look)
        handles.append(Line2D([], [], label=canvas.plain(names.region(region.name)), **look))
    alarms = [alarm for alarm in told.alarms if time.from_s <= alarm.at_s <= time.until_s]
    worst_s = max(float(np.nanmax(region.lag_s)) for region in following)
    worst_s = max([worst_s, *(alarm.lag_s for alarm in alarms)])
    promised_s = PROMISED_S / time.scale
    drawn = promised_s <= 2.5 * worst_s
    top_s = max(worst_s, promised_s if drawn else 0.0, 0.1) * 1.2
    if drawn:
        axes.axhline(promised_s, **_PROMISE)
    key = "curve.promised" if drawn else "curve.promised_above"
    handles.append(Line2D([], [], label=words(key, seconds=number(round(promised_s, 2))), **_PROMISE))
    for raised in (True, False):
        some = [alarm for alarm in alarms if alarm.raised == raised]
        look = _ALARM | ({} if raised else {"marker": "^", "markerfacecolor": canvas.PAPER})
        if some:
            axes.plot([alarm.at_s for alarm in some], [alarm.lag_s for alarm in some], zorder=4, **look)
            handles.append(
                Line2D([], [], label=words("curve.alarm" if raised else "curve.alarm_over"), **look)
            )
    axes.set_ylim(0, top_s)
    _quantity(axes)
    return canvas.legend(axes, handles)


def _ages(axes: Axes, ages: Sequence[Age], limit_s: float, words: Words) -> None:
    """In real time, as the check holds them against the limit."""
    handles: list[Artist] = []
    for place, age in enumerate(ages):
        look = _LINES[place % len(_LINES)]
        axes.plot(age.at_s, age.age_real_s, **look)
        handles.append(Line2D([], [], label=canvas.plain(age.node), **look))
    worst_s = max(float(age.age_real_s.max()) for age in ages)
    drawn = limit_s <= 2.5 * worst_s
    if drawn:
        axes.axhline(limit_s, **_PROMISE)
    key = "curve.restorable_limit" if drawn else "curve.restorable_limit_above"
    handles.append(Line2D([], [], label=words(key, seconds=number(round(limit_s, 2))), **_PROMISE))
    axes.set_ylim(0, max(worst_s, limit_s if drawn else 0.0, 0.1) * 1.2)
    _quantity(axes)
    canvas.legend(axes, handles)


def _quantity(axes: Axes) -> None:
    axes.yaxis.set_major_locator(MaxNLocator(nbins=4))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(round(value, 6))))
    axes.grid(axis="y")
