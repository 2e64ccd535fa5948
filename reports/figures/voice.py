"""The picture of calls beside packets: what share gets through, by how many are tried."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from reports import voice
from reports.figures import canvas
from reports.names import Names
from reports.voice import Carrier
from reports.words import Words

_HEIGHT_IN: Final = 1.7
_TICKS: Final = (1, 2, 5, 10, 20, 50)
_LINES: Final = ("-", (0, (4, 1.5)), (0, (1, 1.2)))


def draw(told: Sequence[Carrier], names: Names, words: Words, folder: Path) -> canvas.Picture:
    """Write the picture into `folder`. There is at least one carrier."""
    with canvas.style():
        return canvas.finish(compose(told, names, words), folder, "voice", words("alt.voice"))


def compose(told: Sequence[Carrier], names: Names, words: Words) -> Figure:
    """The blocked share of calls over demand, with what each carrier restricted."""
    figure = canvas.sheet(_HEIGHT_IN + 1.0)
    axes = canvas.panel(figure, 0.5, _HEIGHT_IN)
    demand = np.geomspace(1, max(voice.DEMAND), 60)
    axes.axvspan(*voice.DEMAND, color=canvas.BAND, alpha=0.18, lw=0)
    axes.plot(demand, [voice.blocked(float(times)) for times in demand], color=canvas.INK, lw=1.8)
    handles: list[Line2D | Patch] = [Line2D([], [], color=canvas.INK, lw=1.8, label=words("voice.erlang"))]
    handles.append(Patch(color=canvas.BAND, alpha=0.18, label=words("voice.demand")))
    for one, line in zip(told, [_LINES[at % len(_LINES)] for at in range(len(told))], strict=True):
        axes.axhline(one.calls, color=canvas.DOWN, lw=1.3, ls=line)
        label = words("voice.restricted", carrier=names.carrier(one.name), share=f"{one.calls:.0%}")
        handles.append(Line2D([], [], color=canvas.DOWN, lw=1.3, ls=line, label=label))
    axes.set_xscale("log")
    axes.set_xlim(1, max(voice.DEMAND))
    axes.set_xticks(_TICKS, [str(tick) for tick in _TICKS])
    axes.minorticks_off()
    axes.set_ylim(0, 1.02)
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0 %", "25 %", "50 %", "75 %", "100 %"])
    axes.grid()
    axes.set_xlabel(words("voice.axis"), fontsize=8.5)
    canvas.heading(axes, words("voice.panel"))
    canvas.legend(axes, handles)
    return figure
