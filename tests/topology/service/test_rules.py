"""Whom an event concerns."""

from __future__ import annotations

import pytest

from topology.service.rules import INTENSITIES, Rule, Warnings, matches, strength

TOKYO = Rule(frozenset({"350", "351"}), "5-", tsunami=False, special=False)
EVERYWHERE = Rule(frozenset(), "6-", tsunami=True, special=True)


NOTHING = Warnings()


def told(rule: Rule, warned: Warnings = NOTHING, **areas: str) -> bool:
    return matches(rule, {code[1:]: intensity for code, intensity in areas.items()}, warned)


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


def tsunami(*coasts: str) -> Warnings:
    return Warnings(tsunami=True, coasts=frozenset(coasts))


def special(*prefectures: str) -> Warnings:
    return Warnings(special=True, prefectures=frozenset(prefectures))


def test_warnings_reach_who_asked_for_them() -> None:
    assert told(EVERYWHERE, tsunami("310"))
    assert told(EVERYWHERE, special("140000"))
    assert not told(TOKYO, Warnings(tsunami=True, special=True))


BAY = Rule(frozenset({"360"}), "7", True, True, frozenset({"312", "330"}), frozenset({"140000"}))


def test_warnings_concern_only_the_rules_own_coasts_and_prefectures() -> None:
    assert told(BAY, tsunami("310", "330"))
    assert not told(BAY, tsunami("310"))
    assert told(BAY, special("140000"))
    assert not told(BAY, special("220000"))


def test_the_same_number_is_another_place_in_another_table() -> None:
    """360 is a part of Kanagawa where the earth shakes, and no coast; 330 is Sagami Bay, and a part of Saitama."""
    assert not told(BAY, tsunami("360"))
    assert not told(BAY, _330="7")
    assert not told(BAY, Warnings(tsunami=True, coasts=frozenset({"310"}), prefectures=frozenset({"140000"})))


def test_a_warning_that_names_no_place_may_be_meant_for_any() -> None:
    assert told(BAY, tsunami())
    assert told(BAY, special())
