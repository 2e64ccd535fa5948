"""The sentence why, made anew from figures."""

from __future__ import annotations

import pytest

from reports.reasons import met, of_check
from reports.words import Words


@pytest.mark.parametrize(
    ("key", "measured", "expected", "is_met"),
    [
        ("lost", 0, 0, True),
        ("lost", 1, 0, False),
        ("write_rto_s", 29.9, 30.0, True),
        ("write_rto_s", 30.1, 30.0, False),
        ("standbys_at_end", 0, 1, False),
        ("peak_per_s", 500, 400, True),
        ("failovers", 2, 1, False),
        ("failovers", 0, 1, False),
        ("exactly", "once", "once", True),
        ("exactly", "twice", "once", False),
        ("rpo_s", None, 0.0, None),
        ("rpo_s", 0.0, None, None),
    ],
)
def test_met(key: str, measured: object, expected: object, is_met: bool | None) -> None:
    assert met(key, measured, expected) is is_met  # type: ignore[arg-type]


def test_a_failure_names_what_was_missed() -> None:
    why = of_check(Words("ja"), "answers", "fail", {"lost": 3, "rpo_s": 0.0}, {"lost": 0, "rpo_s": 0.0})
    assert why == "失われた確定済みの回答 3（期待 0）。"


def test_the_unknown_names_what_could_not_be_told() -> None:
    assert of_check(Words("en"), "answers", "unknown", {"lost": None}, {"lost": 0}) == (
        "Could not be told: acknowledged answers lost."
    )


def test_users_behind_old_names_are_told_of() -> None:
    measured = {"write_rto_s": 15.0, "read_rto_s": 3.0, "stale_users_s": 65.0, "other_users_s": 20.0}
    why = of_check(Words("ja"), "recovery", "pass", measured, {})
    assert "旧い名前を保つキャッシュの利用者が再び応答を得たのは 65\u202f秒 後" in why


def test_many_failures_are_counted() -> None:
    keys = ["lost", "stale", "phantom", "twice", "unwanted"]
    why = of_check(Words("en"), "answers", "fail", dict.fromkeys(keys, 1), dict.fromkeys(keys, 0))
    assert why.endswith(" and 2 more.")


def test_a_check_that_measured_too_little_says_nothing() -> None:
    assert of_check(Words("en"), "answers", "pass", {}, {}) == ""
    assert of_check(Words("en"), "unheard-of", "pass", {"lost": 0}, {}) == ""
