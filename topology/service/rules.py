"""Whom does it concern? A company's rule against what is known of an event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

#: The seismic intensities of the agency, weakest first.
INTENSITIES: Final = ("1", "2", "3", "4", "5-", "5+", "6-", "6+", "7")


@dataclass(frozen=True)
class Rule:
    """`areas`: seismic area codes, none of them for everywhere; `least`: the weakest intensity that counts.

    The areas limit earthquakes only: tsunami and weather warnings have area codes of their own, in which the same
    number is another place. Who wants those warnings gets them wherever they are.
    """

    areas: frozenset[str]
    least: str
    tsunami: bool
    special: bool


def strength(intensity: str) -> int:
    """Rank of an intensity; 0 for what is none."""
    return INTENSITIES.index(intensity) + 1 if intensity in INTENSITIES else 0


def matches(rule: Rule, areas: Mapping[str, str], *, tsunami: bool, special: bool) -> bool:
    """Whether a company with this rule is told."""
    if (tsunami and rule.tsunami) or (special and rule.special):
        return True
    least = strength(rule.least)
    return any(
        strength(intensity) >= least
        for code, intensity in areas.items()
        if not rule.areas or code in rule.areas
    )
