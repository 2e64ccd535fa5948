"""The picture of the mails: where they waited over time, for whom, and how many lay in their mailboxes unheard of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from reports.faults import Fault
from reports.figures import canvas
from reports.figures.scale import TimeScale
from reports.mails import ON_THE_WAY, Waiting
from reports.series import Floats
from reports.words import Words

_HEIGHT_IN: Final = 0.95
_HEAD_IN: Final = 0.36
_TOP_IN: Final = 0.15
_FOOT_IN: Final = 0.5
_FILLS: Final[tuple[dict[str, Any], ...]] = (
    {"facecolor": canvas.VIOLET, "alpha": 0.85},
    {"facecolor": canvas.SKY},
    {"facecolor": canvas.PARTLY, "hatch": "////", "edgecolor": canvas.ON_FILL},
)
_LINES: Final[tuple[dict[str, Any], ...]] = (
    {"color": canvas.BLUE, "ls": "-", "lw": 1.5},
    {"color": canvas.UP, "ls": (0, (4, 1.5)), "lw": 1.5},
    {"color": canvas.VIOLET, "ls": (0, (1, 1.2)), "lw": 1.7},
    {"color": canvas.INK, "ls": (0, (6, 1.5, 1, 1.5)), "lw": 1.3},
)
#: A legend holds this many domains: those that waited longest.
MOST_DOMAINS: Final = len(_LINES)


def draw(
    waiting: Waiting, faults: Sequence[Fault], time: TimeScale, words: Words, folder: Path
) -> canvas.Picture:
    """Write the picture into `folder`."""
    with canvas.style():
        figure = compose(waiting, faults, time, words)
        alt = words("alt.mail", domains=len(waiting.domains))
        return canvas.finish(figure, folder, "mail", alt)


def compose(waiting: Waiting, faults: Sequence[Fault], time: TimeScale, words: Words) -> Figure:
    """On their way by place, the same by domain and, where notices were recorded, in the mailbox without one."""
    titles = ["panel.mail.places", "panel.mail.domains"] + ["panel.mail.push"] * ("push" in waiting.places)
    figure = canvas.sheet(_TOP_IN + len(titles) * (_HEIGHT_IN + _HEAD_IN) + _FOOT_IN)
    panels = [
        canvas.panel(figure, _TOP_IN + _HEAD_IN + place * (_HEIGHT_IN + _HEAD_IN), _HEIGHT_IN)
        for place in range(len(titles))
    ]
    for axes, title in zip(panels, titles, strict=True):
        time.prepare(axes)
        time.bands(axes, faults)
        canvas.heading(axes, words(title))
    _places(panels[0], waiting, words)
    _domains(panels[1], waiting)
    if "push" in waiting.places:
        _line(panels[2], waiting.at_s, waiting.places["push"], _LINES[2])
        _scale(panels[2], waiting.places["push"])
    time.below(panels[-1], words)
    return figure


def _places(axes: Axes, waiting: Waiting, words: Words) -> None:
    """One above the other: the upper edge is all that had not reached its mailbox."""
    below = np.zeros_like(waiting.at_s)
    handles: list[Artist] = []
    for place, look in zip(ON_THE_WAY, _FILLS, strict=True):
        if place in waiting.places:
            above = below + waiting.places[place]
            axes.fill_between(waiting.at_s, below, above, step="post", lw=0, **look)
            handles.append(Patch(label=words.value("place", place), lw=0, **look))
            below = above
    axes.step(waiting.at_s, below, where="post", color=canvas.INK, lw=1.2)
    _scale(axes, below)
    canvas.legend(axes, handles)


def _domains(axes: Axes, waiting: Waiting) -> None:
    chosen = _longest(waiting.domains)
    handles: list[Artist] = []
    for (name, values), look in zip(chosen.items(), _LINES, strict=False):
        _line(axes, waiting.at_s, values, look)
        handles.append(Line2D([], [], label=canvas.plain(name), **look))
    _scale(axes, *chosen.values())
    canvas.legend(axes, handles)


def _longest(domains: Mapping[str, Floats]) -> Mapping[str, Floats]:
    """Those where the most mails waited the longest, by name."""
    order = sorted(domains, key=lambda name: -float(domains[name].sum()))[:MOST_DOMAINS]
    return {name: domains[name] for name in sorted(order)}


def _line(axes: Axes, at_s: Floats, values: Floats, look: Mapping[str, Any]) -> None:
    axes.step(at_s, values, where="post", **look)


def _scale(axes: Axes, *values: Floats) -> None:
    canvas.counts(axes, max((float(each.max(initial=0)) for each in values), default=0.0))
    axes.grid(axis="y")
