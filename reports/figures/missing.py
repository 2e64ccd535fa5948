"""The picture of lost mail: how many mails were composed and not in their mailbox, over time, one panel a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reports.figures import canvas
from reports.words import Words

_HEAD_IN: Final = 0.36
_HEIGHT_IN: Final = 1.25
_ROWS: Final = 4
Hours = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Missing:
    """One run: when each mail was composed and when it was in its mailbox (nan: never), drill hours after the first
    fault; `marks` are moments to point out, in order: their numbers, from 1, stand in the picture.
    """

    title: str
    composed_h: Hours
    boxed_h: Hours
    marks: Sequence[float] = ()

    @property
    def curve(self) -> tuple[Hours, npt.NDArray[np.int64]]:
        """When the number changes, and what it is from then on."""
        gone = self.boxed_h[~np.isnan(self.boxed_h)]
        times = np.concatenate([self.composed_h, gone])
        steps = np.concatenate([np.ones(len(self.composed_h), np.int64), -np.ones(len(gone), np.int64)])
        order = np.argsort(times, kind="stable")
        return times[order], np.cumsum(steps[order])


def draw(runs: Sequence[Missing], words: Words, folder: Path) -> canvas.Picture:
    """Write the picture into `folder`. Every run has composed a mail."""
    with canvas.style():
        return canvas.finish(compose(runs, words), folder, "missing", words("incident.alt.missing"))


def compose(runs: Sequence[Missing], words: Words) -> Figure:
    """The panels share both axes, so that they can be compared."""
    figure = canvas.sheet(0.15 + len(runs) * (_HEIGHT_IN + _HEAD_IN) + 0.5)
    last_h = max(float(np.nanmax(np.concatenate([run.composed_h, run.boxed_h]))) for run in runs)
    most = max(int(run.curve[1].max()) for run in runs)
    for place, run in enumerate(runs):
        axes = canvas.panel(figure, 0.15 + _HEAD_IN + place * (_HEIGHT_IN + _HEAD_IN), _HEIGHT_IN)
        axes.set_xlim(min(0.0, min(float(each.composed_h.min()) for each in runs)), max(last_h * 1.02, 1.0))
        canvas.counts(axes, most)
        axes.grid()
        canvas.heading(axes, run.title)
        _panel(axes, run, last_h)
        axes.tick_params(labelbottom=run is runs[-1])
        if run is runs[-1]:
            axes.set_xlabel(words("incident.axis.hours"), fontsize=8.5)
    return figure


def _panel(axes: Axes, run: Missing, until_h: float) -> None:
    times, counts = run.curve
    xs = np.concatenate([times, [until_h]])
    ys = np.concatenate([counts, counts[-1:]])
    axes.fill_between(xs, ys, step="post", color=canvas.SKY, lw=0)
    axes.step(xs, ys, where="post", color=canvas.DOWN, lw=1.4)
    number(axes, run.marks)


def number(axes: Axes, marks: Sequence[float]) -> None:
    """Lines through a panel at these places, and their numbers, from 1."""
    for number_of, at_h in enumerate(marks, 1):
        axes.axvline(at_h, color=canvas.MUTED, lw=0.9, ls=(0, (3, 2)))
        axes.annotate(
            str(number_of),
            (at_h, 1),
            # Those that are close together stand below each other.
            xytext=(3, -3 - 10 * ((number_of - 1) % _ROWS)),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            fontsize=8,
            color=canvas.INK,
            va="top",
        )
