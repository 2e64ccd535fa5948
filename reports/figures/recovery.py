"""The picture of the recovery: one bar a capability and carrier, cut into where the time went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from reports.figures import canvas
from reports.figures.strips import group_names
from reports.names import Names
from reports.recovery import PARTS, Recovery
from reports.words import Words

_ROW_IN: Final = 0.235
_KEY_LINE_IN: Final = 0.2
_KEY_COLUMNS: Final = 6
_HEAD_IN: Final = 0.36
_OUTCOME: Final[dict[str, Any]] = {"fontsize": 8}
#: A part that a check tells and nobody here has heard of.
_STRANGE: Final[Mapping[str, Any]] = {"facecolor": canvas.STONE, "hatch": "++++"}
_GAP_IN: Final = 0.15  # around the words behind a bar
_LOOKS: Final[Mapping[str, Mapping[str, Any]]] = {
    "detected": {"facecolor": canvas.VIOLET, "hatch": ""},
    "declared": {"facecolor": canvas.VIOLET, "hatch": "||||"},
    "fenced": {"facecolor": canvas.PARTLY, "hatch": ""},
    "named": {"facecolor": canvas.UP, "hatch": "////"},
    "confirmed": {"facecolor": canvas.STONE, "hatch": "----"},
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
        figure = compose(rows, names, titles, words)
        return canvas.finish(figure, folder, "recovery", words("alt.recovery", rows=len(rows)))


def compose(rows: Sequence[Recovery], names: Names, titles: Mapping[str, str], words: Words) -> Figure:
    """A panel for each thing that was done, one below the other on one scale."""
    groups = _by_mark(rows)
    handles = _key(rows, words)
    key_in = _KEY_LINE_IN * -(-len(handles) // _KEY_COLUMNS)
    height_in = key_in + sum(_HEAD_IN + _ROW_IN * len(own) for own in groups.values()) + 0.5
    figure = canvas.sheet(height_in)
    top_in, longest = key_in, _longest(figure, rows, words)
    for (mark, kind), own in groups.items():
        axes = canvas.panel(figure, top_in + _HEAD_IN, _ROW_IN * len(own))
        title = words(f"recovery.after.{kind}", what=titles.get(mark, canvas.plain(mark)))
        canvas.heading(axes, canvas.fitted(figure, title, 8.8, fontsize=9, **canvas.bold(title)))
        _bars(axes, own, names, words, longest)
        top_in += _HEAD_IN + _ROW_IN * len(own)
    axes.set_xlabel(words("axis.since"), fontsize=8.5)
    axes.tick_params(labelbottom=True)
    _legend(figure, handles, 0.06)
    return figure


def _by_mark(rows: Sequence[Recovery]) -> dict[tuple[str, str], list[Recovery]]:
    groups: dict[tuple[str, str], list[Recovery]] = {}
    for row in rows:
        groups.setdefault((row.mark, row.kind), []).append(row)
    return groups


def _longest(figure: Figure, rows: Sequence[Recovery], words: Words) -> float:
    """How far the axis reaches: past every bar and limit, with room for the words behind them."""
    panel_in = canvas.WIDTH_IN - canvas.LEFT_IN - canvas.RIGHT_IN
    reach = [1.0]
    for row in rows:
        text_in = canvas.width_of(figure, _outcome(row, words), **_OUTCOME) + _GAP_IN
        reach.append(max(_end(row), row.limit_s or 0.0) / (1 - text_in / panel_in))
    return max(reach)


def _end(row: Recovery) -> float:
    return row.segments[-1].until_s if row.segments else 0.0


def _bars(axes: Axes, rows: Sequence[Recovery], names: Names, words: Words, longest: float) -> None:
    axes.set_xlim(0, longest)
    axes.set_ylim(len(rows), 0)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=12, steps=[1, 2, 5, 10]))
    axes.tick_params(labelbottom=False)
    axes.grid(axis="x")
    labels = [canvas.plain(names.carrier(row.vantage)) for row in rows]
    axes.set_yticks([place + 0.5 for place in range(len(rows))], labels)
    axes.tick_params(axis="y", labelsize=8, labelcolor=canvas.INK, pad=4)
    group_names(
        axes, [words.known(f"capability.{row.capability}", canvas.plain(row.capability)) for row in rows]
    )
    for place, row in enumerate(rows):
        _bar(axes, place, row, words)


def _bar(axes: Axes, place: int, row: Recovery, words: Words) -> None:
    """The parts, the limit, and in words what it came to."""
    for segment in row.segments:
        look = {"edgecolor": canvas.ON_FILL, "lw": 0.6, **_LOOKS.get(segment.part, _STRANGE)}
        axes.barh(place + 0.5, segment.until_s - segment.from_s, 0.62, left=segment.from_s, **look)
    said, start = _outcome(row, words), _end(row)
    if row.limit_s is not None:
        axes.plot([row.limit_s] * 2, [place + 0.06, place + 0.94], color=canvas.INK, lw=2)
        text_in = canvas.width_of(axes.figure, said, **_OUTCOME) + _GAP_IN  # type: ignore[arg-type]
        per_inch = axes.get_xlim()[1] / (canvas.WIDTH_IN - canvas.LEFT_IN - canvas.RIGHT_IN)
        if start <= row.limit_s < start + text_in * per_inch:
            start = row.limit_s  # the words would have the limit run through them: they stand behind it
    behind: dict[str, Any] = {"xytext": (5, 0), "textcoords": "offset points", "va": "center"}
    axes.annotate(said, (start, place + 0.5), **behind, **_OUTCOME)


def _outcome(row: Recovery, words: Words) -> str:
    if row.rto_s is None:
        return words("recovery.never")
    return f"{row.rto_s:.2f}\u202f{words('unit.s')}" if row.segments else words("recovery.unnoticed")


def _key(rows: Sequence[Recovery], words: Words) -> list[Any]:
    """Legend entries for what is drawn, in the order in which a recovery goes through it."""
    used = list(dict.fromkeys(segment.part for row in rows for segment in row.segments))
    strange = [part for part in used if part not in PARTS]
    handles: list[Any] = [
        Patch(
            edgecolor=canvas.ON_FILL,
            lw=0.6,
            label=words.known(f"part.{part}", canvas.plain(part.replace("_", " "))),
            **_LOOKS.get(part, _STRANGE),
        )
        for part in [*PARTS, *strange]
        if part in used
    ]
    if any(row.limit_s is not None for row in rows):
        limit: dict[str, Any] = {"color": canvas.INK, "lw": 0, "marker": "|", "ms": 9, "mew": 2}
        handles.append(Line2D([], [], label=words("recovery.limit"), **limit))
    return handles


def _legend(figure: Figure, handles: Sequence[Any], top_in: float) -> None:
    """Along the upper edge, in as many lines as it takes."""
    lines = range(-(-len(handles) // _KEY_COLUMNS))
    # matplotlib fills column after column; people read line after line.
    read = [line * _KEY_COLUMNS + column for column in range(_KEY_COLUMNS) for line in lines]
    ordered = [handles[place] for place in read if place < len(handles)]
    corner = (canvas.LEFT_IN / canvas.WIDTH_IN, 1 - top_in / figure.get_figheight())
    figure.legend(
        handles=ordered, loc="upper left", bbox_to_anchor=corner, ncols=_KEY_COLUMNS, borderaxespad=0,
        handlelength=1.7, handletextpad=0.5, columnspacing=1.3, labelspacing=0.35,
    )  # fmt: skip
