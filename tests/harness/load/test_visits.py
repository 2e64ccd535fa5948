from __future__ import annotations

import math
from dataclasses import asdict
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.load.visits import Visits

#: Once in an hour as usual; 8 times as often for half an hour, then twice; 0.4 times in the affected area.
VISITS = Visits(60.0, 8.0, 30.0, 2.0, 0.4, ("350",))
HERE, ELSEWHERE = "350", "330"


def test_how_many_times_as_often_as_usual() -> None:
    assert [VISITS.times(minute, ELSEWHERE) for minute in (0, 29.9, 30, 500)] == [8, 8, 2, 2]
    assert [VISITS.times(minute, HERE) for minute in (0, 29.9, 30, 500)] == [0.4] * 4


@pytest.mark.parametrize(
    ("area", "from_min", "until_min", "times"),
    [(ELSEWHERE, 0, 30, 8), (ELSEWHERE, 30, 120, 2), (HERE, 0, 30, 0.4), (HERE, 30, 120, 0.4)],
)
def test_many_people_visit_so_many_times_as_often(
    area: str, from_min: float, until_min: float, times: float
) -> None:
    random, people, seen = Random(7), 3000, 0
    for _ in range(people):
        minute = VISITS.following(0.0, area, random.random())
        while minute < until_min:
            seen += minute >= from_min
            minute = VISITS.following(minute, area, random.random())
    usual = people * (until_min - from_min) / VISITS.every_min
    assert seen / usual == pytest.approx(times, rel=0.05)


@given(st.floats(0, 1000), st.floats(0, 1, exclude_max=True), st.sampled_from([HERE, ELSEWHERE]))
def test_the_next_visit_is_later_and_the_later_the_greater_the_chance(
    minute: float, drawn: float, area: str
) -> None:
    following = VISITS.following(minute, area, drawn)
    assert following >= minute
    assert VISITS.following(minute, area, drawn / 2) <= following


def test_where_nobody_visits_nobody_comes() -> None:
    none = Visits(60.0, 8.0, 30.0, 0.0, 0.0, ("350",))
    assert none.following(0.0, HERE, 0.5) == math.inf
    assert none.following(31.0, ELSEWHERE, 0.5) == math.inf
    assert none.following(0.0, ELSEWHERE, 0.01) < 30


def test_it_is_written_and_read_back() -> None:
    assert Visits.parse(asdict(VISITS)) == VISITS
