"""The picture of the recovery: one bar a capability and carrier, cut into where the time went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from reports.figures import canvas
from reports.figures.strips import group_names
from reports.names import Names
from reports.recovery import PARTS, Recovery
from reports.words import Words

_ROW_IN: Final = 0.235
_KEY_IN: Final = 0.2
_LOOKS: Final[Mapping[str, Mapping[str, Any]]] = {
    "detected": {"facecolor": canvas.VIOLET, "hatch": ""},
    "decided": {"facecolor": canvas.PARTLY, "hatch": "\\\\\\\\"},
    "promoted": {"facecolor": canvas.BLUE, "hatch": ""},
    "routed": {"facecolor": canvas.SKY, "hatch": "...."},
    "unexplained": {"facecolor": canvas.STONE, "hatch": "xxxx"},
    "without_failover": {"facecolor": canvas.UP, "hatch": ""},
    "whole": {"facecolor": canvas.DOWN, "hatch": "////"},
}


def draw(
    rows: Sequence[Recovery], names: Names, titles: Mapping[str, str], words: Words, folder: Path
) -> canvas.Picture:
    """Write the picture into `folder`. `titles` says what each mark is called. There is at least one row."""
    with canvas.style():
        groups = _by_mark(rows)
        head_in = 0.36
        height_in = _KEY_IN + sum(head_in + _ROW_IN * len(own) for own in groups.values()) + 0.5
        figure = canvas.sheet(height_in)
        top_in, longest = _KEY_IN, _longest(rows)
        for (mark, kind), own in groups.items():
            axes = canvas.panel(figure, top_in + head_in, _ROW_IN * len(own))
            title = titles.get(mark, canvas.plain(mark))
            heading = canvas.fitted(figure, words(f"recovery.after.{kind}", what=title), 8.8, fontsize=9)
            canvas.heading(axes, heading)
            _bars(axes, own, names, words, longest)
            top_in += head_in + _ROW_IN * len(own)
        axes.set_xlabel(words("axis.since"), fontsize=8.5)
        axes.tick_params(labelbottom=True)
        _key(figure.axes[0], rows, words, height_in)
        return canvas.finish(figure, folder, "recovery", words("alt.recovery", rows=len(rows)))


def _by_mark(rows: Sequence[Recovery]) -> dict[tuple[str, str], list[Recovery]]:
    groups: dict[tuple[str, str], list[Recovery]] = {}
    for row in rows:
        groups.setdefault((row.mark, row.kind), []).append(row)
    return groups


def _longest(rows: Sequence[Recovery]) -> float:
    """How far the axis reaches: past the longest bar and every limit, with room for the words at the bars' ends."""
    ends = [segment.until_s for row in rows for segment in row.segments]
    return max([1.0, *ends, *(row.limit_s for row in rows if row.limit_s is not None)]) * 1.16


def _bars(axes: Axes, rows: Sequence[Recovery], names: Names, words: Words, longest: float) -> None:
    axes.set_xlim(0, longest)
    axes.set_ylim(len(rows), 0)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=12, steps=[1, 2, 5, 10]))
    axes.tick_params(labelbottom=False)
    axes.grid(axis="x")
    axes.set_yticks(
        [row + 0.5 for row in range(len(rows))], [canvas.plain(names.carrier(row.vantage)) for row in rows]
    )
    axes.tick_params(axis="y", labelsize=8, labelcolor=canvas.INK, pad=4)
    group_names(
        axes, [words.known(f"capability.{row.capability}", canvas.plain(row.capability)) for row in rows]
    )
    for place, row in enumerate(rows):
        for segment in row.segments:
            width = segment.until_s - segment.from_s
            axes.barh(
                place + 0.5,
                width,
                0.62,
                left=segment.from_s,
                edgecolor=canvas.ON_FILL,
                lw=0.6,
                **_LOOKS[segment.part],
            )
        if row.limit_s is not None:
            axes.plot([row.limit_s] * 2, [place + 0.06, place + 0.94], color=canvas.INK, lw=2)
        end = row.segments[-1].until_s if row.segments else 0.0
        # A limit close behind the bar would run through the words: they stand behind it.
        near = row.limit_s is not None and end <= row.limit_s < end + longest * 0.09
        start = row.limit_s if near and row.limit_s is not None else end
        axes.annotate(
            _outcome(row, words), (start, place + 0.5), xytext=(5, 0), textcoords="offset points", va="center",
            fontsize=8, bbox={"facecolor": canvas.PAPER, "edgecolor": "none", "pad": 0.6},
        )  # fmt: skip


def _outcome(row: Recovery, words: Words) -> str:
    if row.rto_s is None:
        return words("recovery.never")
    return f"{row.rto_s:.2f}\u202f{words('unit.s')}" if row.segments else words("recovery.unnoticed")


def _key(axes: Axes, rows: Sequence[Recovery], words: Words, height_in: float) -> None:
    used = {segment.part for row in rows for segment in row.segments}
    handles: list[Any] = [
        Patch(edgecolor=canvas.ON_FILL, lw=0.6, label=words(f"part.{part}"), **_LOOKS[part])
        for part in PARTS
        if part in used
    ]
    if any(row.limit_s is not None for row in rows):
        handles.append(
            Line2D([], [], color=canvas.INK, lw=0, marker="|", ms=9, mew=2, label=words("recovery.limit"))
        )
    figure = axes.figure
    figure.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(canvas.LEFT_IN / canvas.WIDTH_IN, 1 - 0.06 / height_in),
        ncols=len(handles), borderaxespad=0, handlelength=1.7, handletextpad=0.5, columnspacing=1.3,
    )  # fmt: skip
