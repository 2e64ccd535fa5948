"""The catalogue: complete in both languages, filled in alike, and every key that the code asks for is there."""

from __future__ import annotations

import json
import re
from pathlib import Path
from string import Formatter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_run import Sample

import reports
from reports.words import LANGS, Words, catalogue, number, split_unit

HOME = Path(reports.__file__).parent


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_each_text_is_there_in_both_languages_with_the_same_things_to_fill_in() -> None:
    for key, texts in catalogue().items():
        assert set(texts) == set(LANGS), key
        assert fields(texts["en"]) == fields(texts["ja"]), key
        assert all(texts.values()) or key == "join.gap", (
            key
        )  # Japanese sentences follow each other without a space


def test_every_key_that_is_asked_for_is_in_the_catalogue() -> None:
    asked = set()
    for path in [*HOME.rglob("*.py"), *HOME.rglob("*.j2")]:
        asked |= set(re.findall(r'\b(?:words|w|self)\("([a-z0-9_.]+)"[,)]', path.read_text(encoding="utf-8")))
    assert len(asked) > 100
    assert asked - set(catalogue()) == set()


def test_no_text_is_there_for_nobody() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in [*HOME.rglob("*.py"), *HOME.rglob("*.j2")])
    made = {
        "measure",
        "word",
        "why",
        "check",
        "tile",
        "unit",
        "capability",
        "part",
        "verb",
        "drill",
        "host",
        "gap",
    }
    made |= {"verdict", "state", "database", "vantage", "effect", "quartile", "recovery", "reproduce", "row"}
    made |= {
        "cost",
        "region",
        "runbook",
        "how",
        "aim",
        "parameter",
        "proof",
        "reason",
        "unasked",
        "role",
        "seen",
        "standing",
        "agreement",
    }
    unasked = [
        key
        for key in catalogue()
        if key.split(".")[0] not in made and f'"{key}"' not in sources and key not in sources
    ]
    assert unasked == []


def test_every_quantity_that_a_check_measures_has_a_name(sample: Sample) -> None:
    verdict = json.loads((sample.run.path / "verdict.json").read_text())
    nameless = [
        (check, key)
        for check, finding in verdict["checks"].items()
        for key in {**finding["measured"], **finding["expected"]}
        if f"measure.{key}" not in catalogue() and f"measure.{check}.{key}" not in catalogue()
    ]
    assert nameless == []


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("lost", 0, "0"),
        ("acknowledged", 12361, "12,361"),
        ("write_rto_s", 12.194, "12.19\u202fs"),
        ("write_rto_s", 0.0, "0\u202fs"),
        ("p50_s", 0.0326, "32.6\u202fms"),
        ("answered_ratio", 0.618, "61.8\u202f%"),
        ("all_out_drill_s", 2640.7, "44.01\u202fmin of drill time"),
        ("all_out_drill_s", 12.0, "12\u202fs of drill time"),
        ("median_drill_min", 51.0, "51\u202fmin of drill time"),
        ("peak_per_s", 656, "656\u202f/s"),
        ("memory_free_mib", 9216, "9,216\u202fMiB"),
        ("rpo_s", None, "—"),
        ("starved", False, "no"),
        ("exactly", "once", "once"),
        ("primary_at_end", "database-b", "database-b"),
        ("timelines", [1, 2], "1, 2"),
    ],
)
def test_values_carry_the_unit_that_their_name_says(key: str, value: object, said: str) -> None:
    assert Words("en").value(key, value) == said  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.0, "0"),
        (1e-9, "1e-09"),
        (-3.5, "-3.5"),
        (1234.5, "1,234"),
        (0.0371, "0.0371"),
        (0.844, "0.844"),
        (100.25, "100.2"),
        (float("nan"), "—"),
    ],
)
def test_numbers_show_what_tells_something(value: float, said: str) -> None:
    assert number(value) == said


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=1e-12, max_value=1e12))
def test_a_number_is_never_shown_as_nothing_nor_far_off(value: float) -> None:
    shown = float(number(value).replace(",", ""))
    assert shown == pytest.approx(value, rel=0.051)


@pytest.mark.parametrize(
    ("key", "parts"), [("rto_s", ("rto", "s")), ("lost", ("lost", "")), ("s", ("s", ""))]
)
def test_units_are_the_last_part_of_a_name(key: str, parts: tuple[str, str]) -> None:
    assert split_unit(key) == parts


@pytest.mark.parametrize(("drill_s", "said"), [(0, "0:00"), (5400, "1:30"), (61, "0:01:01"), (-600, "-0:10")])
def test_drill_time_reads_like_a_clock(drill_s: float, said: str) -> None:
    assert Words("en").clock(drill_s) == said
