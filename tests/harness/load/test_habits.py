from __future__ import annotations

import statistics
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.load import habits
from harness.load.access import Access, Entrance
from harness.load.config import LoadConfig
from harness.load.curves import CURVES, EVERYONE_2019
from harness.load.habits import Habits
from harness.load.residents import settle
from topology.map import Map


def draw(person: int, seed: int = 1) -> Habits:
    return habits.draw(seed, person, clock=60.0, again=0.15, look=0.05, tls=0.1)


def test_the_same_person_in_the_same_drill_does_the_same() -> None:
    assert [draw(person) for person in range(50)] == [draw(person) for person in range(50)]
    assert draw(1) != draw(1, seed=2)
    assert habits.answer_of(1, 5, 1) == habits.answer_of(1, 5, 1)


def test_shares_are_what_was_asked_for() -> None:
    everyone = [draw(person) for person in range(10_000)]
    assert statistics.mean(one.secure for one in everyone) == pytest.approx(0.1, abs=0.01)
    assert statistics.mean(one.again_s is not None for one in everyone) == pytest.approx(0.15, abs=0.015)
    assert statistics.mean(one.looks_s is not None for one in everyone) == pytest.approx(0.05, abs=0.01)
    assert statistics.mean(one.entrance % 2 for one in everyone) == pytest.approx(0.5, abs=0.02)
    assert statistics.mean(one.share for one in everyone) == pytest.approx(0.5, abs=0.01)


@given(attempt=st.integers(1, 50), drawn=st.floats(0, 1, exclude_max=True))
def test_pauses_grow_and_stay_bounded(attempt: int, drawn: float) -> None:
    pause_s = habits.pause_s((2.0, 4.0), attempt, drawn)
    assert 2.0 <= pause_s <= 16.0
    assert pause_s <= habits.pause_s((2.0, 4.0), attempt + 1, drawn)


@pytest.fixture
def config(tmp_path: Path) -> LoadConfig:
    entrances = (Entrance("a", "127.0.0.1", 1, 2), Entrance("b", "127.0.0.1", 3, 4))
    access = tuple(Access(name, 0.5, entrances, ("127.0.0.1", 5)) for name in ("docomo", "au"))
    return LoadConfig(3, 60.0, "everyone-2019", 10, 4000, ("350",), access, tmp_path)


def test_people_answer_along_the_curve_on_the_drills_clock(config: LoadConfig) -> None:
    residents = settle(config, CURVES[config.curve]).values()
    answers_s = sorted(resident.answers_ns / 1e9 for resident in residents)
    # At a clock of 60 a drill minute is a second.
    assert answers_s[0] >= EVERYONE_2019.minutes(0.0)
    assert statistics.median(answers_s) == pytest.approx(EVERYONE_2019.minutes(0.5), rel=0.1)
    assert answers_s[-1] <= EVERYONE_2019.minutes(1.0)


def test_workers_share_all_people_and_none_twice(config: LoadConfig) -> None:
    curve = CURVES[config.curve]
    parts = [settle(replace(config, worker=worker, workers=3), curve) for worker in range(3)]
    whole = settle(config, curve)
    assert sum(len(part) for part in parts) == len(whole)
    assert {address for part in parts for address in part} == set(whole)


def test_a_configuration_survives_being_written_down(replica: Map, tmp_path: Path) -> None:
    config = LoadConfig.of(
        replica,
        seed=1,
        clock=60,
        curve="everyone-2019",
        companies=2,
        people=9,
        areas=["350"],
        history=tmp_path,
    )
    assert LoadConfig.from_json(config.to_json()) == config
    assert [one.carrier for one in config.access] == list(replica.carriers)
    assert sum(one.share for one in config.access) == pytest.approx(1.0)
