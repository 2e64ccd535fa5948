"""Panels one below the other on one time axis, below a lane with the faults, which go through all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reports.faults import Fault
from reports.figures import canvas, lanes
from reports.figures.lanes import Item
from reports.figures.scale import TimeScale
from reports.words import Words

#: Above a panel, for its name and its legend.
HEAD_IN: Final = 0.34
#: Below the last one, for the time axis.
_FOOT_IN: Final = 0.55


@dataclass(frozen=True)
class Panel:
    """One row of the picture: its name, its height, and what draws it."""

    title: str
    height_in: float
    draw: Callable[[Axes], None]


@dataclass(frozen=True)
class Stack:
    """`top_in`: where on the sheet it begins, `lane_in` how high the lane is; inches."""

    items: Sequence[Item]
    panels: Sequence[Panel]
    top_in: float
    lane_in: float

    @property
    def height_in(self) -> float:
        """Of a sheet that ends with it."""
        return self.top_in + self.lane_in + sum(each.height_in + HEAD_IN for each in self.panels) + _FOOT_IN

    def draw(self, figure: Figure, faults: Sequence[Fault], time: TimeScale, words: Words) -> None:
        lane = canvas.panel(figure, self.top_in, self.lane_in)
        time.prepare(lane, marks=False)
        time.above(lane, words)
        lanes.draw(lane, self.items)
        axes, top_in = lane, self.top_in + self.lane_in
        for panel in self.panels:
            axes = canvas.panel(figure, top_in + HEAD_IN, panel.height_in)
            time.prepare(axes)
            canvas.heading(axes, panel.title)
            panel.draw(axes)
            time.bands(axes, faults)
            top_in += HEAD_IN + panel.height_in
        time.below(axes, words)
