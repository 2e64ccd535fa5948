"""Whom an event concerns."""

from __future__ import annotations

import pytest

from topology.service.rules import INTENSITIES, Rule, matches, strength

TOKYO = Rule(frozenset({"350", "351"}), "5-", tsunami=False, special=False)
EVERYWHERE = Rule(frozenset(), "6-", tsunami=True, special=True)


def told(rule: Rule, tsunami: bool = False, special: bool = False, **areas: str) -> bool:
    return matches(
        rule, {code[1:]: intensity for code, intensity in areas.items()}, tsunami=tsunami, special=special
    )


def test_intensities_are_ordered_as_the_agency_orders_them() -> None:
    assert sorted(INTENSITIES, key=strength) == ["1", "2", "3", "4", "5-", "5+", "6-", "6+", "7"]


@pytest.mark.parametrize(
    ("intensity", "expected"), [("4", False), ("5-", True), ("5+", True), ("7", True), ("?", False)]
)
def test_the_least_intensity_counts(intensity: str, expected: bool) -> None:
    assert told(TOKYO, _350=intensity) is expected


def test_only_the_rules_own_areas_count() -> None:
    assert not told(TOKYO, _400="7")
    assert told(TOKYO, _400="7", _351="5-")


def test_a_rule_without_areas_is_for_everywhere() -> None:
    assert told(EVERYWHERE, _999="6-")
    assert not told(EVERYWHERE, _999="5+")


def test_warnings_reach_who_asked_for_them() -> None:
    assert told(EVERYWHERE, tsunami=True)
    assert told(EVERYWHERE, special=True)
    assert not told(TOKYO, tsunami=True, special=True)
