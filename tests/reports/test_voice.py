"""Erlang's formula against tables and a reckoning of its own, and what a report tells of calls beside packets."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports import voice
from reports.names import Names
from reports.reading import Record
from reports.words import LANGS, Lang, Words

#: Published in every table of Erlang B: circuits, offered load in erlangs, blocked share.
KNOWN = [
    (1, 1.0, 0.5),
    (2, 1.0, 0.2),
    (10, 4.461, 0.01),
    (10, 5.084, 0.02),
    (100, 84.06, 0.01),
    (20, 12.03, 0.01),
]


@pytest.mark.parametrize(("circuits", "offered", "share"), KNOWN)
def test_the_published_tables(circuits: int, offered: float, share: float) -> None:
    assert voice.erlang_b(circuits, offered) == pytest.approx(share, rel=0.005)


@given(st.integers(0, 60), st.integers(1, 400))
def test_it_is_erlang_s_own_fraction(circuits: int, tenths: int) -> None:
    offered = Fraction(tenths, 10)
    terms = [offered**n / math.factorial(n) for n in range(circuits + 1)]
    assert voice.erlang_b(circuits, float(offered)) == pytest.approx(float(terms[-1] / sum(terms)), rel=1e-9)


@given(st.integers(0, 2000), st.floats(0, 1e6), st.floats(0, 1e6))
def test_the_more_is_tried_the_more_is_blocked(circuits: int, one: float, other: float) -> None:
    less, more = sorted((one, other))
    assert 0 <= voice.erlang_b(circuits, less) <= voice.erlang_b(circuits, more) + 1e-12 <= 1 + 1e-12


@pytest.mark.parametrize(("circuits", "offered"), [(-1, 1.0), (1, -1.0)])
def test_no_circuits_and_no_load(circuits: int, offered: float) -> None:
    with pytest.raises(ValueError, match="expected circuits and a load of 0 or more"):
        voice.erlang_b(circuits, offered)


def test_on_any_other_day_one_call_in_a_hundred_is_blocked_and_at_fifty_times_nearly_all() -> None:
    assert voice.blocked(1) == pytest.approx(voice.USUAL_LOSS, rel=0.01)
    assert voice.blocked(50) > 0.95


@pytest.fixture
def congested(record: Record) -> Record:
    """The sample, with the networks of 2011-03-11 in its plan."""
    aims = [
        {
            "profile": "tohoku-2011",
            "carriers": {"docomo": {"refused": share}, "au": {"latency": 0.15}},
            "voice": {"docomo": [[0.0, 0.9]], "au": [[0.0, 0.95], [600.0, 0.5]]},
        }
        for share in (0.3, 0.2)
    ]
    entries = [{"id": f"{n}-degrade", "verb": "degrade", "aim": aim} for n, aim in enumerate(aims)]
    return replace(record, plan={**record.plan, "timeline": entries})


def test_the_worst_of_each_carrier_and_what_was_measured(congested: Record) -> None:
    docomo, au = voice.carriers(congested)
    assert (docomo.name, docomo.calls, docomo.packets) == ("docomo", 0.9, 0.3)
    assert (au.name, au.calls, au.packets) == ("au", 0.95, 0.0)
    for one in (docomo, au):
        assert one.served is not None
        assert 0.5 < one.served <= 1


def test_without_a_profile_there_is_nothing_to_tell(record: Record) -> None:
    assert voice.carriers(record) == []


@pytest.mark.parametrize("lang", LANGS)
def test_the_picture_is_drawn_and_the_table_told(congested: Record, lang: Lang, tmp_path: Path) -> None:
    from reports.figures import voice as figure

    words = Words(lang)
    names = Names(congested, words)
    picture = figure.draw(voice.carriers(congested), names, words, tmp_path)
    assert "<svg" in picture.svg
    assert (tmp_path / "voice.svg").exists()
    told = voice.table(congested, names, words)
    assert [[cell.text for cell in row][1:3] for row in told.rows] == [
        ["90\u202f%", "30\u202f%"],
        ["95\u202f%", "0\u202f%"],
    ]
