"""Whom does it concern? A company's rule against what is known of an event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

#: The seismic intensities of the agency, weakest first.
INTENSITIES: Final = ("1", "2", "3", "4", "5-", "5+", "6-", "6+", "7")


@dataclass(frozen=True)
class Rule:
    """Each of the agency's tables has codes of its own, in which the same number is another place: `areas` are those
    of earthquakes (地震情報／細分区域), `coasts` those of tsunami warnings (津波予報区), `prefectures` those of weather
    warnings (府県予報区). None of a table: everywhere. `least`: the weakest intensity that counts. `tsunami`,
    `special`: whether those warnings are wanted at all.
    """

    areas: frozenset[str]
    least: str
    tsunami: bool
    special: bool
    coasts: frozenset[str] = frozenset()
    prefectures: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Warnings:
    """What is in force of an event beside intensities. No areas of a warning that is in force: nobody knows where."""

    tsunami: bool = False
    special: bool = False
    coasts: frozenset[str] = frozenset()
    prefectures: frozenset[str] = frozenset()


def strength(intensity: str) -> int:
    """Rank of an intensity; 0 for what is none."""
    return INTENSITIES.index(intensity) + 1 if intensity in INTENSITIES else 0


def matches(rule: Rule, areas: Mapping[str, str], warned: Warnings) -> bool:
    """Whether a company with this rule is told. `areas`: the greatest intensity by seismic area."""
    if warned.tsunami and rule.tsunami and _there(rule.coasts, warned.coasts):
        return True
    if warned.special and rule.special and _there(rule.prefectures, warned.prefectures):
        return True
    least = strength(rule.least)
    return any(
        strength(intensity) >= least
        for code, intensity in areas.items()
        if not rule.areas or code in rule.areas
    )


def _there(wanted: frozenset[str], named: frozenset[str]) -> bool:
    """Whether a warning concerns any of these places. One that names none might be meant for any of them."""
    return not wanted or not named or not wanted.isdisjoint(named)
