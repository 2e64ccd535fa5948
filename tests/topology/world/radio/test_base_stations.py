"""The base stations as a program: power goes and comes, batteries end on the drill's clock."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.topology.world.conftest import Start
from tests.topology.world.program import Program, until
from topology.world.radio.coverage import supplies


@pytest.fixture
def stations(start: Start) -> Program:
    """An hour of batteries is a second."""
    return start("world.radio.base_stations", SUPPLIES="north=100,101;south=300", CLOCK_SCALE="3600")


def put(stations: Program, path: str, **asked: object) -> tuple[int, Any]:
    return stations.ask(path, json.dumps(asked).encode(), "PUT")


def test_batteries_end_on_the_drill_s_clock_and_only_where_it_is_dark(stations: Program) -> None:
    assert stations.get("/signal") == {}
    assert put(stations, "/supply", dark="north", important=0.25, others_s=3600)[0] == 200
    assert stations.get("/supply")["south"]["dark_s"] is None
    until(
        lambda: stations.get("/signal") == {"100": [[0.0, 0.25]], "101": [[0.0, 0.25]]},
        "the end of batteries",
    )
    assert put(stations, "/means", to="north", means="ship", reaches=0.5)[0] == 200
    assert stations.get("/signal")["100"] == [[0.0, 0.25], [0.5, 1.0]]
    assert put(stations, "/supply", lit="north")[0] == 200
    assert stations.get("/signal") == {}
    assert stations.get("/supply")["north"]["brought"] == {}


def test_what_is_dark_stays_dark_after_a_crash(stations: Program) -> None:
    put(stations, "/supply", dark="north", important=0.0, others_s=1)
    put(stations, "/means", to="north", means="00000japan", reaches=0.4)
    before = stations.get("/supply")["north"]
    stations.kill()
    stations.start()
    after = stations.get("/supply")["north"]
    assert after["dark_s"] >= before["dark_s"]
    assert after["brought"] == {"00000japan": 0.4}


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/supply", {"dark": "west", "important": 0.1, "others_s": 60}),
        ("/supply", {"dark": "north"}),
        ("/supply", {"dark": "north", "important": 2, "others_s": 60}),
        ("/means", {"to": "north", "means": "kite", "reaches": 0.3}),
        ("/means", {"to": "north", "means": "ship", "reaches": 0}),
    ],
)
def test_what_cannot_be_is_refused(stations: Program, path: str, asked: dict[str, object]) -> None:
    assert put(stations, path, **asked)[0] == 400
    assert stations.get("/signal") == {}


@pytest.mark.parametrize("text", ["", "north", "north=", "=100", "north=100;"])
def test_no_supplies(text: str) -> None:
    with pytest.raises(ValueError, match="SUPPLIES"):
        supplies(text)
