"""Where there is a signal: batteries that last by class of site, and what is brought into a dark area. Pure.

    places   0 ──── important ──── others ─────────────────── 1
    power         ████████████████████████████████████████████
    dark, 3 h     ████████████████████████░░░░░░░░░░░░▓▓▓▓▓▓▓▓   ░ no signal   ▓ brought in

A place is a number from 0 to 1, and everybody stands at one. What goes dark first is at the upper end, and is what is
brought back first.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

#: How long important sites last on their batteries (OPS), in seconds.
IMPORTANT_S: Final = 72 * 3600.0
#: What brings the network back (OPS). `large-zone` stations reach 7 km and more.
MEANS: Final = ("large-zone", "ship", "00000japan")


@dataclass(frozen=True)
class Batteries:
    """`important` is the share of important sites. Of the others the last ends after `others_s`, the first after half
    of that, and as many at any time between: a setting, the documents only say "less".
    """

    important: float
    others_s: float

    def __post_init__(self) -> None:
        if not 0 <= self.important <= 1 or not 0 < self.others_s < IMPORTANT_S:
            raise ValueError(f"no batteries: {self}")

    def lasting(self, dark_s: float) -> float:
        """The share of the sites that still run after so long without power."""
        if dark_s >= IMPORTANT_S:
            return 0.0
        ended = min(1.0, max(0.0, 2 * dark_s / self.others_s - 1))
        return self.important + (1 - self.important) * (1 - ended)


@dataclass(frozen=True)
class Brought:
    """Something that was brought into an area, and the share of its places that it reaches."""

    means: str
    reaches: float


@dataclass(frozen=True)
class Supply:
    """An area of power supply. `dark_since_s` is on the world's clock; None: it has power."""

    name: str
    areas: tuple[str, ...]
    batteries: Batteries | None = None
    dark_since_s: float | None = None
    brought: tuple[Brought, ...] = ()

    def darkened(self, batteries: Batteries, at_s: float) -> Supply:
        """Without power from then on. One that is dark already stays dark since when it was."""
        if self.dark_since_s is not None:
            return self
        return replace(self, batteries=batteries, dark_since_s=at_s)

    def lit(self) -> Supply:
        """With power, and nothing that was brought is needed any more."""
        return Supply(self.name, self.areas)

    def with_means(self, means: str, reaches: float) -> Supply:
        """The same means brought twice reaches what it was said to reach last. Raises ValueError for what is none."""
        if means not in MEANS:
            raise ValueError(f"{means}: not one of {', '.join(MEANS)}")
        if not 0 < reaches <= 1:
            raise ValueError(f"reaches: expected a share above 0, found {reaches!r}")
        others = tuple(each for each in self.brought if each.means != means)
        return replace(self, brought=(*others, Brought(means, reaches)))

    def signal(self, at_s: float) -> Sequence[tuple[float, float]]:
        """The places with a signal at an instant, as ranges from … up to …, in order and apart."""
        if self.dark_since_s is None or self.batteries is None:
            return ((0.0, 1.0),)
        lasting = self.batteries.lasting(at_s - self.dark_since_s)
        back = max(lasting, 1.0 - math.fsum(each.reaches for each in self.brought))
        if back <= lasting:
            return ((0.0, 1.0),)
        return tuple(each for each in ((0.0, lasting), (back, 1.0)) if each[0] < each[1])


def supplies(text: str) -> dict[str, Supply]:
    """`north=100,101;south=200`. Raises ValueError for anything else."""
    found: dict[str, Supply] = {}
    for part in text.split(";"):
        name, equals, codes = (each.strip() for each in part.partition("="))
        areas = tuple(code.strip() for code in codes.split(",") if code.strip())
        if not name or not equals or not areas:
            raise ValueError(f"SUPPLIES: expected supply=area,area;…, found {text!r}")
        found[name] = Supply(name, areas)
    return found


def place(person: int) -> float:
    """Where somebody stands: the same for the same person, and evenly spread over all."""
    return int.from_bytes(hashlib.blake2b(str(person).encode(), digest_size=8).digest(), "big") / 2**64


def covers(signal: Sequence[tuple[float, float]], at: float) -> bool:
    return any(low <= at < high for low, high in signal)
