"""A small schematic map: the service's regions, the links between them, and what each region was at one instant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import cos, pi, sin
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.patches import Ellipse, FancyBboxPatch

from reports.figures import canvas
from reports.figures.strips import Look

#: Where a region stands, from the left and from below; others are put on a circle. Roughly as on a map of the Pacific.
PLACES: Final[Mapping[str, tuple[float, float]]] = {
    "singapore": (0.2, 0.27), "tokyo": (0.26, 0.68), "virginia": (0.78, 0.6),
}  # fmt: skip
_RADIUS_IN: Final = 0.11
_LINE_IN: Final = 0.135


@dataclass(frozen=True)
class Place:
    """One region: its title, its look, and its state in words."""

    name: str
    title: str
    look: Look | None
    said: str


@dataclass(frozen=True)
class Road:
    """A link between two regions; `said` stands on it. One that is `cut` is drawn broken."""

    between: tuple[str, str]
    said: str
    cut: bool


def draw(axes: Axes, places: Sequence[Place], roads: Sequence[Road]) -> None:
    """On empty axes that nothing else is drawn on."""
    width_in, height_in = _inches(axes)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.axis("off")
    axes.add_patch(
        FancyBboxPatch(
            (0.02, 0.02), 0.96, 0.96, boxstyle="round,pad=0,rounding_size=0.04", facecolor="none",
            edgecolor=canvas.RULE, lw=0.9,
        )
    )  # fmt: skip
    where = _where([place.name for place in places])
    for road in roads:
        if set(road.between) <= set(where):
            _road(axes, where[road.between[0]], where[road.between[1]], road)
    for place in places:
        x, y = where[place.name]
        size = (2 * _RADIUS_IN / width_in, 2 * _RADIUS_IN / height_in)
        axes.add_patch(Ellipse((x, y), *size, facecolor=canvas.PAPER, lw=0, zorder=3))
        if place.look is not None:
            firm = not place.look.hollow
            axes.add_patch(
                Ellipse(
                    (x, y), *size, facecolor=place.look.colour if firm else canvas.PAPER,
                    edgecolor=canvas.ON_FILL if firm and place.look.hatch else place.look.colour,
                    hatch=place.look.hatch * 2, lw=1.2, zorder=4,
                )
            )  # fmt: skip
        _label(axes, x, y, place, height_in, width_in)


def _label(axes: Axes, x: float, y: float, place: Place, height_in: float, width_in: float) -> None:
    """Two lines, above the region in the upper half, below it in the lower; never out of the frame."""
    up = y >= 0.5
    first = (
        y + (_RADIUS_IN + 1.55 * _LINE_IN) / height_in
        if up
        else y - (_RADIUS_IN + 0.55 * _LINE_IN) / height_in
    )
    title = canvas.plain(place.title)
    for line, (text, look) in enumerate(
        ((title, canvas.bold(title)), (canvas.plain(place.said), {"color": canvas.MUTED}))
    ):
        half = canvas.width_of(axes.figure, text, fontsize=7.5, **look) / width_in / 2 + 0.04  # type: ignore[arg-type]
        axes.text(
            min(max(x, half), 1 - half), first - line * _LINE_IN / height_in, text, ha="center", va="center",
            fontsize=7.5, zorder=5, **look,
        )  # fmt: skip


def _road(axes: Axes, first: tuple[float, float], second: tuple[float, float], road: Road) -> None:
    look: dict[str, Any] = {"color": canvas.STONE, "lw": 1.3}
    if road.cut:
        look = {"color": canvas.DOWN, "ls": (0, (1, 2.2)), "lw": 1.6}
    axes.plot([first[0], second[0]], [first[1], second[1]], zorder=1, **look)
    middle = ((first[0] + second[0]) / 2, (first[1] + second[1]) / 2)
    axes.text(
        *middle, road.said, ha="center", va="center", fontsize=7, zorder=2,
        color=canvas.DOWN if road.cut else canvas.MUTED,
        bbox={"facecolor": canvas.PAPER, "edgecolor": "none", "pad": 1.2},
    )  # fmt: skip


def _where(names: Sequence[str]) -> dict[str, tuple[float, float]]:
    if set(names) <= set(PLACES):
        return {name: PLACES[name] for name in names}
    turns = [2 * pi * number / len(names) for number in range(len(names))]
    return {
        name: (0.5 - 0.3 * cos(turn), 0.48 + 0.24 * sin(turn))
        for name, turn in zip(names, turns, strict=True)
    }


def _inches(axes: Axes) -> tuple[float, float]:
    box = axes.get_position()
    width_in, height_in = axes.figure.get_size_inches()  # type: ignore[union-attr]
    return float(box.width * width_in), float(box.height * height_in)
