"""People without a signal neither hear of their mail nor send anything, until there is one again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.load.config import LoadConfig
from harness.load.visits import Visits
from harness.rundir import history
from tests.harness.load.world import Running, World, until
from tests.topology.world.program import Program
from topology.world.radio.coverage import place

pytestmark = pytest.mark.takes(15)

PEOPLE = 100
#: A fifth of the sites goes on; where that is not so, it is dark at once.
IMPORTANT = 0.2


@pytest.fixture
def stations(tmp_path: Path) -> Iterator[Program]:
    program = Program(
        "topology.world.radio.base_stations",
        tmp_path / "radio",
        SUPPLIES="kanto=350,351",
        CLOCK_SCALE="36000",
    )
    yield program
    program.kill()


@pytest.fixture
def config(world: World, stations: Program, tmp_path: Path) -> LoadConfig:
    (tmp_path / "history").mkdir()
    return LoadConfig(
        seed=7,
        clock=40_000.0,
        curve="everyone-2019",
        companies=3,
        people=PEOPLE,
        areas=("350", "351"),
        access=(world.access,),
        history=tmp_path / "history",
        pause_s=(0.2, 0.4),
        patience=100,
        live_every_s=0.1,
        looks=1,
        radio=("127.0.0.1", stations.port),
    )


@pytest.fixture
def start(tmp_path: Path, run_program: Callable[[str, Path], Running]) -> Callable[[LoadConfig], Running]:
    def run(config: LoadConfig) -> Running:
        path = tmp_path / "load.json"
        path.write_text(config.to_json())
        return run_program("harness.load", path)

    return run


def put(stations: Program, path: str, **asked: object) -> None:
    assert stations.ask(path, json.dumps(asked).encode(), "PUT")[0] == 200


def answers(world: World) -> set[int]:
    return {int(token[1:]) for token in world.get("/state")}


def test_who_has_no_signal_answers_when_there_is_one_again(
    world: World, stations: Program, config: LoadConfig, start: Callable[[LoadConfig], Running]
) -> None:
    everyone = {one.number for one in config.population().people}
    lucky = {number for number in everyone if place(number) < IMPORTANT}
    put(stations, "/supply", dark="kanto", important=IMPORTANT, others_s=1)
    load = start(config)
    until(lambda: bool(load.lines), 5, "a live line")
    heard = len(load.lines)
    until(lambda: len(load.lines) > heard + 10, 5, "some time")  # it has looked where there is a signal
    world.mail_to({one.address: f"t{one.number:031d}" for one in config.population().people})
    until(lambda: answers(world) == lucky, 10, "the answers of those who have a signal")
    put(stations, "/means", to="kanto", means="ship", reaches=0.3)
    reached = lucky | {number for number in everyone if place(number) >= 0.7}
    until(lambda: answers(world) == reached, 10, "the answers of those whom the ship reaches")
    put(stations, "/supply", lit="kanto")
    until(lambda: answers(world) == everyone, 10, "everyone's answer")
    load.terminate()
    rows = history.read(config.history).to_pandas()
    assert set(rows[rows.outcome != "ok"].detail) <= {"no signal"}
    assert set(rows[rows.outcome != "ok"].endpoint) <= {"radio"}


def test_people_visit_as_often_as_they_do_at_such_a_time_wherever_they_live(
    world: World, stations: Program, config: LoadConfig, start: Callable[[LoadConfig], Running]
) -> None:
    """A drill minute is 1.5 ms. As usual everybody visits every 1000 minutes; elsewhere twice as often, here never."""
    load = start(
        LoadConfig(
            **{
                **vars(config),
                "again": 0.0,
                "look": 0.0,
                "visits": Visits(1000.0, 2.0, 0.0, 2.0, 0.0, ("350",)),
            }
        )
    )
    people = config.population().people
    world.mail_to({one.address: f"t{one.number:031d}" for one in people})
    until(lambda: len(answers(world)) == PEOPLE, 10, "everyone's answer")
    seen = len(load.lines)
    until(lambda: len(load.lines) > seen + 20, 10, "two seconds")
    load.terminate()
    rows = history.read(config.history).to_pandas()
    looks = rows[rows.kind == "look"].groupby("key").size()
    elsewhere = [looks.get(one.number, 0) - 1 for one in people if one.area != "350"]
    assert {looks[one.number] - 1 for one in people if one.area == "350"} == {0}
    assert sum(elsewhere) / len(elsewhere) > 1, "they came again and again"
