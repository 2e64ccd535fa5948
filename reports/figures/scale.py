"""The time axes that the panels of a figure share: real seconds below, drill time above, faults as bands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, NullLocator

from reports.faults import Fault
from reports.figures import canvas
from reports.words import Words

#: Steps of the drill's clock that people count in, seconds.
_STEPS_S: Final = (
    1,
    2,
    5,
    10,
    15,
    30,
    60,
    120,
    300,
    600,
    900,
    1200,
    1800,
    3600,
    7200,
    10800,
    21600,
    43200,
    86400,
)
_MOST_TICKS: Final = 16


@dataclass(frozen=True)
class TimeScale:
    """From when to when, in real seconds since the origin, and how many drill seconds one of them is."""

    from_s: float
    until_s: float
    scale: float
    #: Whether the origin is the beginning of the timeline; a run that died early has none.
    began: bool = True

    @property
    def span(self) -> tuple[float, float]:
        return self.from_s, self.until_s

    def below(self, axes: Axes, words: Words) -> None:
        """Label the lower axis."""
        axes.set_xlabel(words("axis.seconds" if self.began else "axis.seconds_unbegun"), fontsize=8.5)
        axes.xaxis.set_major_locator(_locator())
        axes.tick_params(axis="x", bottom=False, labelbottom=True)  # its marks are drawn already

    def above(self, axes: Axes, words: Words) -> None:
        """Put the drill's time along the upper edge, its name into the left margin."""
        step = next(
            (step for step in _STEPS_S if (self.until_s - self.from_s) * self.scale / step <= _MOST_TICKS),
            _STEPS_S[-1],
        )
        first = int(self.from_s * self.scale // step) + 1
        ticks = [number * step for number in range(first, int(self.until_s * self.scale // step) + 1)]
        upper = axes.secondary_xaxis("top")
        upper.set_xticks([tick / self.scale for tick in ticks], [words.clock(tick) for tick in ticks])
        upper.spines["top"].set_visible(True)
        upper.spines["top"].set_color(canvas.RULE)
        axes.annotate(
            words("axis.drill"), (0, 1), xytext=(-8, 5), xycoords="axes fraction", textcoords="offset points",
            ha="right", va="bottom", color=canvas.MUTED, fontsize=8,
        )  # fmt: skip

    def prepare(self, axes: Axes, *, marks: bool = True) -> None:
        """The shared look of a panel: the common limits, quiet grid lines, marks below, no labels there."""
        axes.set_xlim(self.from_s, self.until_s)
        axes.xaxis.set_major_locator(NullLocator())
        ticks = _locator().tick_values(self.from_s, self.until_s)
        canvas.rule(axes, [at_s for at_s in ticks if self.from_s <= at_s <= self.until_s], marks=marks)

    def bands(self, axes: Axes, faults: Sequence[Fault]) -> None:
        """Each fault through the panel: shaded, a firm line where it began, a broken one where it was taken back."""
        for fault in faults:
            until_s = self.until_s if fault.until_s is None else fault.until_s
            axes.axvspan(fault.from_s, until_s, color=canvas.BAND, alpha=0.09, lw=0, zorder=0.5)
            axes.axvline(fault.from_s, color=canvas.DOWN, lw=1.1, zorder=0.6)
            if fault.until_s is not None:
                axes.axvline(fault.until_s, color=canvas.DOWN, lw=1.0, ls=(0, (4, 3)), zorder=0.6)


def _locator() -> MaxNLocator:
    return MaxNLocator(nbins=_MOST_TICKS, steps=[1, 2, 5, 10])
