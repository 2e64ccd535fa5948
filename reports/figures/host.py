"""The picture of the machine that measured: processor, pressure, and how late the probes themselves were."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from reports import host, series
from reports.faults import Fault
from reports.figures import canvas
from reports.figures.curves import milliseconds
from reports.figures.scale import TimeScale
from reports.host import Load
from reports.reading import Record
from reports.series import Operations
from reports.words import Words

_HEIGHTS_IN = (0.9, 0.9)
_HEAD_IN = 0.36


def draw(
    record: Record, probes: Operations, faults: Sequence[Fault], time: TimeScale, words: Words, folder: Path
) -> canvas.Picture:
    """Write the picture into `folder`."""
    with canvas.style():
        return canvas.finish(compose(record, probes, faults, time, words), folder, "host", words("alt.host"))


def compose(
    record: Record, probes: Operations, faults: Sequence[Fault], time: TimeScale, words: Words
) -> Figure:
    """The processor above, the probes below."""
    figure = canvas.sheet(0.15 + sum(_HEIGHTS_IN) + 2 * _HEAD_IN + 0.5)
    first = canvas.panel(figure, 0.15 + _HEAD_IN, _HEIGHTS_IN[0])
    second = canvas.panel(figure, 0.15 + 2 * _HEAD_IN + _HEIGHTS_IN[0], _HEIGHTS_IN[1])
    for axes, title in ((first, "panel.cpu"), (second, "panel.lag")):
        time.prepare(axes)
        time.bands(axes, faults)
        canvas.heading(axes, words(title))
    _cpu(first, host.load(record), words)
    _lag(second, probes, time, words)
    time.below(second, words)
    return figure


def _cpu(axes: Axes, seen: Load, words: Words) -> None:
    if not seen.at_s.size:
        return canvas.note(axes, words("none.host"))
    axes.fill_between(seen.at_s, 0, seen.cpu, color=canvas.SKY, lw=0)
    axes.plot(seen.at_s, seen.cpu, color=canvas.BLUE, lw=1.2)
    handles: list[Artist] = [Patch(facecolor=canvas.SKY, edgecolor=canvas.BLUE, label=words("curve.cpu"))]
    if np.isfinite(seen.pressure).any():
        look: dict[str, Any] = {"color": canvas.DOWN, "lw": 1.5, "ls": (0, (4, 1.5))}
        axes.plot(seen.at_s, seen.pressure, **look)
        handles.append(Line2D([], [], label=words("curve.pressure"), **look))
    axes.set_ylim(0, 1.05)
    axes.set_yticks([0, 0.5, 1], ["0 %", "50 %", "100 %"])
    axes.grid(axis="y")
    return canvas.legend(axes, handles)


def _lag(axes: Axes, probes: Operations, time: TimeScale, words: Words) -> None:
    if not probes.intended_s.size:
        return canvas.note(axes, words("none.probes"))
    at_s, middle, worst = series.lag_ms(probes, time.span)
    floor = 0.01  # milliseconds: a probe that started early or on time still has a place on the scale
    axes.plot(at_s, np.maximum(worst, floor), color=canvas.VIOLET, lw=1.3, ls=(0, (1, 1.2)))
    axes.plot(at_s, np.maximum(middle, floor), color=canvas.INK, lw=1.5)
    axes.set_yscale("log")
    known = worst[np.isfinite(worst)]
    most = float(known.max()) if known.size else 1.0
    axes.set_ylim(0.1, 10 ** np.ceil(np.log10(max(most, 10))))
    axes.yaxis.set_major_locator(LogLocator(base=10, numticks=6))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: milliseconds(value)))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.tick_params(axis="y", which="minor", length=0)
    axes.grid(axis="y")
    handles = [
        Line2D([], [], color=canvas.INK, lw=1.5, label=words("curve.p50")),
        Line2D([], [], color=canvas.VIOLET, lw=1.3, ls=(0, (1, 1.2)), label="p99"),
    ]
    return canvas.legend(axes, handles)
