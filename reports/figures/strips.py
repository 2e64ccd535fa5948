"""States in time as strips: each capability at each carrier, and what each database was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.patches import Patch, Rectangle

from reports.figures import canvas
from reports.figures.scale import TimeScale
from reports.series import Database, Span
from reports.words import Words


@dataclass(frozen=True)
class Look:
    """How a state is drawn: colour, height in its lane (0 to 1), hatching. No two states differ in colour alone."""

    colour: str
    height: float
    hatch: str = ""
    hollow: bool = False


CAPABILITY_LOOKS: Final[Mapping[str, Look]] = {
    "up": Look(canvas.UP, 0.26),
    "partly": Look(canvas.PARTLY, 0.56, "||||"),
    "down": Look(canvas.DOWN, 0.86, "////"),
}
DATABASE_LOOKS: Final[Mapping[str, Look]] = {
    "primary": Look(canvas.BLUE, 0.8),
    "claims": Look(canvas.BLUE, 0.8, "////", hollow=True),
    "replica": Look(canvas.SKY, 0.26),
    "silent": Look(canvas.STONE, 0.5, "xxxx", hollow=True),
}


@dataclass(frozen=True)
class Strip:
    """One lane: its label, the group it stands in, and its states."""

    group: str
    label: str
    spans: Sequence[Span]


def key(looks: Mapping[str, Look], words: Words, prefix: str) -> list[Artist]:
    """Legend entries, one per state."""
    return [_patch(look, label=words(f"{prefix}.{state}")) for state, look in looks.items()]


def _patch(look: Look, label: str) -> Patch:
    return Patch(
        facecolor=canvas.PAPER if look.hollow else look.colour,
        edgecolor=look.colour if look.hollow else canvas.ON_FILL if look.hatch else look.colour,
        hatch=look.hatch * 2,
        lw=0.8,
        label=label,
    )


def draw(axes: Axes, strips: Sequence[Strip], looks: Mapping[str, Look], time: TimeScale) -> None:
    """One lane a strip from top to bottom; the name of a group stands left of its lanes."""
    axes.set_ylim(len(strips), 0)
    axes.set_yticks(
        [row + 0.5 for row in range(len(strips))], [canvas.plain(strip.label) for strip in strips]
    )
    axes.tick_params(axis="y", labelsize=8, labelcolor=canvas.INK, pad=4)
    axes.spines["left"].set_visible(False)
    for row, strip in enumerate(strips):
        for span in strip.spans:
            _draw_span(axes, row, span, looks[span.state], time)
    group_names(axes, [strip.group for strip in strips])


def group_names(axes: Axes, lanes: Sequence[str]) -> None:
    """Left of neighbouring lanes of one group the group's name, and a rule between groups. Lanes are one unit high."""
    for name, first, count in _groups(lanes):
        if first:
            axes.axhline(first, color=canvas.RULE, lw=0.8, xmin=-0.16, clip_on=False, zorder=0.4)
        axes.annotate(
            name, (0, first + count / 2), xytext=(-canvas.LEFT_IN * 72 + 12, 0), xycoords=("axes fraction", "data"),
            textcoords="offset points", va="center", ha="left", fontsize=8.5, **canvas.bold(name),
        )  # fmt: skip


def _draw_span(axes: Axes, row: int, span: Span, look: Look, time: TimeScale) -> None:
    from_s, until_s = max(span.from_s, time.from_s), min(span.until_s, time.until_s)
    if until_s <= from_s:
        return
    axes.add_patch(
        Rectangle(
            (from_s, row + (1 - look.height) / 2),
            until_s - from_s,
            look.height,
            facecolor=canvas.PAPER if look.hollow else look.colour,
            edgecolor=look.colour if look.hollow or not look.hatch else canvas.ON_FILL,
            hatch=look.hatch,
            lw=0.8 if look.hollow else 0,
            zorder=2,
        )
    )


def _groups(lanes: Sequence[str]) -> list[tuple[str, int, int]]:
    """(name, first lane, how many lanes) of neighbouring lanes of one group; groups without a name left out."""
    found: list[tuple[str, int, int]] = []
    for row, group in enumerate(lanes):
        if found and found[-1][0] == group:
            name, first, count = found[-1]
            found[-1] = (name, first, count + 1)
        else:
            found.append((group, row, 1))
    return [group for group in found if group[0]]


def draw_databases(axes: Axes, nodes: Sequence[Database], time: TimeScale, words: Words) -> None:
    """Roles as strips; under each lane a line while the node holds the leader key; each new timeline by its number."""
    draw(axes, [Strip("", node.node, node.roles) for node in nodes], DATABASE_LOOKS, time)
    for row, node in enumerate(nodes):
        for span in node.leads:
            from_s, until_s = max(span.from_s, time.from_s), min(span.until_s, time.until_s)
            if until_s > from_s:
                axes.plot(
                    [from_s, until_s],
                    [row + 0.97] * 2,
                    color=canvas.INK,
                    lw=1.3,
                    solid_capstyle="butt",
                    zorder=3,
                )
        for at_s, timeline in node.promotions:
            _name_timeline(
                axes, row, max(at_s, time.from_s), words("database.timeline", number=timeline), node.roles
            )


def _name_timeline(axes: Axes, row: int, at_s: float, text: str, roles: Sequence[Span]) -> None:
    """Inside the firm part of the bar, where that is long enough for it."""
    firm = [span for span in roles if span.state == "primary" and span.until_s > at_s]
    first, last = axes.get_xlim()
    width = canvas.width_of(axes.figure, text, fontsize=7.5) + 0.12  # type: ignore[arg-type]
    seconds = width * (last - first) / (canvas.WIDTH_IN - canvas.LEFT_IN - canvas.RIGHT_IN)
    if firm and min(firm[0].until_s, last) - max(firm[0].from_s, at_s) >= seconds:
        start = max(firm[0].from_s, at_s) + seconds / 12
        axes.text(start, row + 0.52, text, va="center", color=canvas.ON_FILL, fontsize=7.5, zorder=4)
