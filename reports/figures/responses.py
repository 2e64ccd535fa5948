"""The picture of the drill: how many minutes after their mail people answered."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator

from reports.drill import QUARTILES, Statistics
from reports.figures import canvas
from reports.words import Words, number

_HEAD_IN: Final = 0.36
_HEIGHTS_IN: Final = (1.35, 0.85)
#: Widths of a bin that people count in, minutes.
_BINS_MIN: Final = (0.5, 1, 2, 5, 10, 15, 30, 60)
_MOST_BINS: Final = 120
_LOOKS: Final[tuple[dict[str, Any], ...]] = (
    {"color": canvas.UP, "ls": "-", "lw": 1.4},
    {"color": canvas.VIOLET, "ls": (0, (1, 1.2)), "lw": 1.6},
    {"color": canvas.INK, "ls": "-", "lw": 2.0},
    {"color": canvas.VIOLET, "ls": (0, (4, 1.5)), "lw": 1.6},
)


def draw(told: Statistics, words: Words, folder: Path) -> canvas.Picture:
    """Write the picture into `folder`. Somebody answered."""
    with canvas.style():
        alt = words("alt.responses", answered=told.minutes.size)
        return canvas.finish(compose(told, words), folder, "responses", alt)


def compose(told: Statistics, words: Words) -> Figure:
    """The distribution above, the share of all below."""
    figure = canvas.sheet(0.15 + sum(_HEIGHTS_IN) + 2 * _HEAD_IN + 0.5)
    first = canvas.panel(figure, 0.15 + _HEAD_IN, _HEIGHTS_IN[0])
    second = canvas.panel(figure, 0.15 + 2 * _HEAD_IN + _HEIGHTS_IN[0], _HEIGHTS_IN[1])
    longest = max(float(told.minutes.max()), 1.0)
    width = next((width for width in _BINS_MIN if longest / width <= _MOST_BINS), longest / _MOST_BINS)
    for axes in (first, second):
        axes.set_xlim(0, np.ceil(longest / width) * width)
        axes.xaxis.set_major_locator(MaxNLocator(nbins=14, steps=[1, 2, 3, 5, 6, 10]))
        axes.tick_params(labelbottom=axes is second)
        axes.grid()
    canvas.heading(first, words("panel.responses", width=number(width)))
    canvas.heading(second, words("panel.share"))
    _histogram(first, told, width, words)
    _share(second, told)
    second.set_xlabel(words("axis.minutes"), fontsize=8.5)
    return figure


def _histogram(axes: Axes, told: Statistics, width: float, words: Words) -> None:
    edges = np.arange(0, float(told.minutes.max()) + 2 * width, width)
    counts = np.histogram(told.minutes, edges)[0]
    axes.stairs(counts, edges, fill=True, color=canvas.SKY, lw=0)
    axes.stairs(counts, edges, color=canvas.BLUE, lw=1)
    axes.set_ylim(0, max(float(counts.max()) * 1.08, 1))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    handles = []
    for key, at, look in zip(
        QUARTILES, np.percentile(told.minutes, (0, 25, 50, 75)).tolist(), _LOOKS, strict=True
    ):
        axes.axvline(at, **look)
        label = words(f"quartile.{key.removesuffix('_drill_min')}", minutes=number(round(at, 1)))
        handles.append(Line2D([], [], label=label, **look))
    canvas.legend(axes, handles)


def _share(axes: Axes, told: Statistics) -> None:
    """Of all who were asked: where the curve ends is how many answered at all."""
    share = np.arange(1, told.minutes.size + 1) / max(told.asked, 1)
    axes.step([0.0, *told.minutes.tolist()], [0.0, *share.tolist()], where="post", color=canvas.BLUE, lw=1.6)
    axes.set_ylim(0, 1.02)
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0 %", "25 %", "50 %", "75 %", "100 %"])
