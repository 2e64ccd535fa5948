"""The sentence why, made anew from figures."""

from __future__ import annotations

import pytest

from harness.rundir import Json
from reports.reasons import met, of_check
from reports.summary import Check, _whole
from reports.words import Words


@pytest.mark.parametrize(
    ("sense", "measured", "expected", "is_met"),
    [
        ("at most", 0, 0, True),
        ("at most", 1, 0, False),
        ("at most", 30.1, 30.0, False),
        ("at least", 0, 1, False),
        ("at least", 0.995, 0.99, True),
        ("exactly", 2, 1, False),
        ("exactly", 0, 1, False),
        ("exactly", "once", "once", True),
        ("exactly", "twice", "once", False),
        ("at most", None, 0.0, None),
        ("at most", 0.0, None, None),
        ("at most", "once", 0.0, None),
        (None, 0, 0, None),
    ],
)
def test_met(sense: Json, measured: Json, expected: Json, is_met: bool | None) -> None:
    assert met(sense, measured, expected) is is_met


def test_a_failure_names_what_was_missed() -> None:
    why = of_check(
        Words("ja"),
        "answers",
        "fail",
        {"lost": 3, "rpo_s": 0.0},
        {"lost": 0, "rpo_s": 0.0},
        {"lost": "at most"},
    )
    assert why == "失われた確定済みの回答 3（期待 0）。"


def test_what_never_came_back_is_named_as_missed() -> None:
    why = of_check(Words("ja"), "recovery", "fail", {"write_rto_s": None}, {"write_rto_s": 30.0}, {})
    assert why == "RTO（回答） に至らず（期待 30\u202f秒）。"


def test_the_unknown_names_what_could_not_be_told() -> None:
    assert of_check(Words("en"), "answers", "unknown", {"lost": None}, {"lost": 0}, {}) == (
        "Could not be told: acknowledged answers lost."
    )


def test_users_behind_old_names_are_told_of() -> None:
    measured = {"write_rto_s": 15.0, "read_rto_s": 3.0, "stale_users_s": 65.0, "other_users_s": 20.0}
    why = of_check(Words("ja"), "recovery", "pass", measured, {}, {})
    assert "旧い名前を保つキャッシュの利用者が再び応答を得たのは 65\u202f秒 後" in why


@pytest.mark.parametrize(("users_s", "told"), [(38.0, True), (0.0, False), (None, False)])
def test_users_who_waited_are_told_of(users_s: float | None, told: bool) -> None:
    measured: dict[str, Json] = {"write_rto_s": 15.0, "read_rto_s": 3.0, "users_s": users_s}
    why = of_check(Words("ja"), "recovery", "pass", measured, {}, {})
    assert ("利用者の99%が再び応答を得たのは 38\u202f秒 後" in why) is told


def test_many_failures_are_counted() -> None:
    keys = ["lost", "stale", "phantom", "twice", "unwanted"]
    why = of_check(
        Words("en"),
        "answers",
        "fail",
        dict.fromkeys(keys, 1),
        dict.fromkeys(keys, 0),
        dict.fromkeys(keys, "at most"),
    )
    assert why.endswith(" and 2 more.")


def test_a_check_that_measured_too_little_says_nothing() -> None:
    assert of_check(Words("en"), "answers", "pass", {}, {}, {}) == ""
    assert of_check(Words("en"), "unheard-of", "pass", {"lost": 0}, {}, {}) == ""


def test_every_check_that_failed_is_named_on_the_first_screen() -> None:
    checks = tuple(
        Check(name, name.title(), verdict, f"{name} says why.", "", (), None, ())
        for name, verdict in (("answers", "pass"), ("mail", "fail"), ("host", "unknown"), ("runbook", "fail"))
    )
    assert _whole(Words("en"), "fail", checks, "") == "Mail: mail says why. Failed as well: Runbook."
    assert _whole(Words("ja"), "fail", checks[:2], "") == "Mail：mail says why."
    assert _whole(Words("ja"), "unknown", checks, "") == "Host：host says why."
