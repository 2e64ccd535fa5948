"""The sheet that every figure is drawn on: colours, type, and how a figure becomes files.

Nothing is told by colour alone: what failed is also taller, hatched, below the line, or said in words. The colours keep
apart for the common kinds of colour blindness (after Okabe and Ito). In the page they become CSS variables, so that
figures follow its light or dark scheme; files of their own keep the light ones.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
import matplotlib_fontja
from matplotlib import font_manager
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.markers import TICKDOWN, MarkerStyle
from matplotlib.patheffects import Normal, Stroke
from matplotlib.text import Text
from matplotlib.ticker import FuncFormatter, MaxNLocator

from reports.words import number

INK: Final = "#1c2733"
MUTED: Final = "#5d6b78"
RULE: Final = "#d9e0e6"
PAPER: Final = "#fefefe"
ON_FILL: Final = "#fffffd"
BLUE: Final = "#1a6fb0"
SKY: Final = "#8dbfe3"
UP: Final = "#11866f"
PARTLY: Final = "#d6971f"
DOWN: Final = "#c4441a"
BAND: Final = "#c5451b"
VIOLET: Final = "#7a5aa6"
STONE: Final = "#9aa6b1"

#: What the page calls each colour; its style sheet has a value for both schemes.
VARIABLES: Final[Mapping[str, str]] = {
    INK: "ink", MUTED: "muted", RULE: "rule", PAPER: "paper", ON_FILL: "on-fill", BLUE: "blue", SKY: "sky", UP: "up",
    PARTLY: "partly", DOWN: "down", BAND: "band", VIOLET: "violet", STONE: "stone",
}  # fmt: skip

WIDTH_IN: Final = 11.0
LEFT_IN: Final = 1.55
RIGHT_IN: Final = 0.3

_STYLE: Final[Any] = {
    "font.family": ["DejaVu Sans", "IPAexGothic"],
    "font.size": 8.5,
    "text.color": INK,
    "axes.edgecolor": RULE,
    "axes.facecolor": PAPER,
    "axes.labelcolor": MUTED,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.unicode_minus": False,
    "figure.facecolor": PAPER,
    "grid.color": RULE,
    "grid.linewidth": 0.6,
    "hatch.linewidth": 0.7,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.major.size": 3,
    "xtick.major.width": 0.8,
    "ytick.major.size": 0,
    "text.parse_math": False,  # what stands between dollars in a name is no formula
    "svg.fonttype": "path",
    "svg.hashsalt": "figures",
}


@dataclass(frozen=True)
class Picture:
    """A finished figure: `svg` for the page, and what it shows in one sentence for those who cannot see it."""

    name: str
    svg: str
    alt: str


@contextmanager
def style() -> Iterator[None]:
    """Everything drawn inside looks like the reports, whatever the settings of the machine. Japanese has its glyphs."""
    _add_japanese()
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        yield


@cache
def _add_japanese() -> None:
    """Once a process: whenever a face is added, all that was found before is looked for again."""
    font_manager.fontManager.addfont(matplotlib_fontja.get_font_ttf_path())


def counts(axes: Axes, most: float) -> None:
    """The upright axis counts something, from 0 to a little above the most there is; at least to 1."""
    axes.set_ylim(0, max(1.0, most * 1.1))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))


def sheet(height_in: float) -> Figure:
    """An empty figure as wide as the page. Measuring text works on it at once."""
    figure = Figure(figsize=(WIDTH_IN, height_in), dpi=100)
    FigureCanvasAgg(figure)
    return figure


def panel(figure: Figure, top_in: float, height_in: float, left_in: float = LEFT_IN) -> Axes:
    """Axes whose upper edge is `top_in` below the figure's."""
    total = figure.get_figheight()
    width = (WIDTH_IN - left_in - RIGHT_IN) / WIDTH_IN
    return figure.add_axes((left_in / WIDTH_IN, 1 - (top_in + height_in) / total, width, height_in / total))


def rule(axes: Axes, places: Sequence[float], *, marks: bool) -> None:
    """Upright grid lines at these places of the lower axis, with or without a mark at their feet.

    They look as matplotlib's ticks do, each of which is five artists: those took a fifth of a report's time.
    """
    look: dict[str, Any] = {"transform": axes.get_xaxis_transform(), "zorder": 0.55}
    lines = [((place, 0.0), (place, 1.0)) for place in places]
    colour, width = _STYLE["grid.color"], _STYLE["grid.linewidth"]
    grid = LineCollection(lines, color=colour, lw=width, capstyle="projecting", **look)
    axes.add_collection(grid, autolim=False)
    if marks:
        length, colour = _STYLE["xtick.major.size"], _STYLE["xtick.color"]
        feet = Line2D(
            places, [0.0] * len(places), ls="", marker=MarkerStyle(TICKDOWN), ms=length, color=colour, **look
        )
        feet.set(markeredgewidth=_STYLE["xtick.major.width"], clip_on=False)
        axes.add_artist(feet)


def heading(axes: Axes, text: str) -> Text:
    """The name of a panel, above its upper left corner."""
    return axes.annotate(
        text,
        (0, 1),
        xytext=(0, 5),
        xycoords="axes fraction",
        textcoords="offset points",
        fontsize=9,
        **bold(text),
    )


def bold(text: str) -> dict[str, Any]:
    """The look of a text that stands out. The Japanese face has one weight only: its lines are drawn thicker."""
    if text.isascii():
        return {"weight": "bold", "family": "DejaVu Sans"}
    return {"path_effects": [Stroke(linewidth=0.45, foreground=INK), Normal()]}


def legend(axes: Axes, handles: Sequence[Artist]) -> None:
    """Above the upper right corner, where no curve goes."""
    axes.legend(
        handles=handles, loc="lower right", bbox_to_anchor=(1, 1), ncols=len(handles), borderaxespad=0.15,
        handlelength=1.7, handletextpad=0.5, columnspacing=1.4, labelcolor=INK,
    )  # fmt: skip


def note(axes: Axes, text: str) -> None:
    """What a panel says where it has nothing to draw."""
    axes.set_yticks([])
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color=MUTED, style="italic")


def width_of(figure: Figure, text: str, **look: Any) -> float:
    """How wide a text comes out, in inches."""
    trial = figure.text(0, 0, text, **look)
    extent = trial.get_window_extent()
    trial.remove()
    return float(extent.width / figure.dpi)


def fitted(figure: Figure, text: str, inches: float, **look: Any) -> str:
    """The text, shortened with an ellipsis to what fits."""
    if width_of(figure, text, **look) <= inches:
        return text
    least, most = 0, len(text)
    while least < most:
        middle = (least + most + 1) // 2
        if width_of(figure, text[:middle].rstrip() + "…", **look) <= inches:
            least = middle
        else:
            most = middle - 1
    return text[:least].rstrip() + "…"


def plain(text: str) -> str:
    """A text from a run directory, safe to draw: on one line, without control characters."""
    return "".join(character if character.isprintable() else " " for character in text)


def finish(figure: Figure, folder: Path, name: str, alt: str, *, png: bool = False) -> Picture:
    """Write `name`.svg, and `name`.png if asked to, into the folder: the same bytes for the same drawing."""
    folder.mkdir(parents=True, exist_ok=True)
    if png:
        figure.savefig(folder / f"{name}.png", dpi=150, metadata={"Software": None})
    vector = io.StringIO()
    figure.savefig(
        vector, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None}
    )
    svg = vector.getvalue()
    (folder / f"{name}.svg").write_text(svg, encoding="utf-8")
    return Picture(name, for_page(svg, name), alt)


def for_page(svg: str, name: str) -> str:
    """An SVG file as a part of a page: no prolog, names of its own, colours as the page's variables."""
    svg = svg[svg.index("<svg") :]
    for before in (' id="', 'href="#', "url(#"):
        svg = svg.replace(before, f"{before}{name}-")
    svg = re.sub(r'<svg ([^>]*?)width="[^"]*" height="[^"]*"', r'<svg \1aria-hidden="true"', svg, count=1)
    svg = re.sub(
        r'<svg ([^>]*?)height="[^"]*" ([^>]*?)width="[^"]*"', r'<svg \1\2aria-hidden="true"', svg, count=1
    )
    for colour, variable in VARIABLES.items():
        svg = svg.replace(colour, f"var(--fig-{variable}, {colour})")
    return svg
