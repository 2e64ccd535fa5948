"""The lane over the timeline's panels: what was done to the service, as bars and marks with their names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from reports.faults import Fault
from reports.figures import canvas
from reports.figures.scale import TimeScale
from reports.runbooks import Performance
from reports.words import Words

ROW_IN = 0.21
_LOOK: Final[dict[str, Any]] = {"fontsize": 8.0}
_PAD_IN = 0.06


@dataclass(frozen=True)
class Item:
    """A bar, or a mark where `until_s` is None. `row` counts from the top; the text stands at `text_s`."""

    from_s: float
    until_s: float | None
    text: str
    row: int
    text_s: float
    align: str
    inside: bool


@dataclass(frozen=True)
class Mark:
    """Something that happened at one instant."""

    at_s: float
    text: str


def performed(runbooks: Sequence[Performance], words: Words) -> list[Mark]:
    """When runbooks began and ended."""
    marks = []
    for runbook in runbooks:
        marks.append(Mark(runbook.from_s, words("mark.runbook", runbook=runbook.name)))
        if runbook.until_s is not None:
            outcome = words(f"runbook.{runbook.outcome}")
            ended = words("mark.runbook_ended", runbook=runbook.name, outcome=outcome)
            marks.append(Mark(runbook.until_s, ended))
    return marks


def arrange(
    figure: Figure, time: TimeScale, faults: Sequence[Fault], labels: Sequence[str], marks: Sequence[Mark]
) -> list[Item]:
    """Give every fault and mark a row such that no two of a row touch, texts included, and no text leaves the panel."""
    inches = canvas.WIDTH_IN - canvas.LEFT_IN - canvas.RIGHT_IN
    per_inch = (time.until_s - time.from_s) / inches
    items: list[Item] = []
    taken: list[list[tuple[float, float]]] = []
    wanted: list[tuple[float, float | None, str]] = [(mark.at_s, None, mark.text) for mark in marks]
    for fault, label in zip(faults, labels, strict=True):
        end = time.until_s if fault.until_s is None else min(fault.until_s, time.until_s)
        wanted.append((fault.from_s, max(end, fault.from_s), label))
    for from_s, until_s, label in wanted:
        # At most a third of the panel: then it fits into its bar, or behind it, or before it.
        text = canvas.fitted(figure, canvas.plain(label), inches / 3 - 6 * _PAD_IN, **_LOOK)
        wide = (canvas.width_of(figure, text, **_LOOK) + 2 * _PAD_IN) * per_inch
        place = _place(time, from_s, until_s, wide, _PAD_IN * per_inch)
        row = _free_row(taken, place.first, place.last)
        items.append(Item(from_s, until_s, text, row, place.text_s, place.align, place.inside))
    return items


@dataclass(frozen=True)
class _Place:
    text_s: float
    align: str
    inside: bool
    first: float
    last: float


def _place(time: TimeScale, from_s: float, until_s: float | None, wide: float, pad: float) -> _Place:
    end = from_s if until_s is None else until_s
    if end - from_s >= wide:
        return _Place(from_s + pad, "left", True, from_s, end)
    if end + wide + pad <= time.until_s:
        return _Place(end + 2 * pad, "left", False, from_s - pad, end + wide + pad)
    return _Place(from_s - 2 * pad, "right", False, from_s - wide - pad, end + pad)


def _free_row(taken: list[list[tuple[float, float]]], first: float, last: float) -> int:
    for number, row in enumerate(taken):
        if all(last <= other_first or first >= other_last for other_first, other_last in row):
            row.append((first, last))
            return number
    taken.append([(first, last)])
    return len(taken) - 1


def rows(items: Sequence[Item]) -> int:
    return max((item.row for item in items), default=0) + 1


def draw(axes: Axes, items: Sequence[Item]) -> None:
    """Bars for faults, triangles for marks. The panel is as many units high as there are rows."""
    axes.set_ylim(rows(items), 0)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    for item in items:
        if item.until_s is None:
            look: dict[str, Any] = {"marker": "v", "ms": 5.5, "color": canvas.VIOLET, "zorder": 3}
            axes.plot([item.from_s], [item.row + 0.5], clip_on=False, **look)
        else:
            width = max(item.until_s - item.from_s, 1e-9)
            axes.add_patch(
                Rectangle((item.from_s, item.row + 0.1), width, 0.8, lw=1, color=canvas.DOWN, zorder=2)
            )
        axes.text(
            item.text_s, item.row + 0.53, item.text, ha=item.align, va="center", zorder=4,
            color=canvas.ON_FILL if item.inside else canvas.INK, **_LOOK,
        )  # fmt: skip
