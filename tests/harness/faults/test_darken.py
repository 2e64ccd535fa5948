"""A blackout on a real node of base stations, and what brings the signal back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from harness import blackout, library
from harness.blackout import Blackout
from harness.faults import Stage
from harness.faults.build import NobodyThere, build
from harness.faults.darken import Darken
from harness.runbook import reading
from harness.runbook.engine import Performance
from harness.runbook.journal import FAILED, PROVEN
from harness.runbook.parameters import told
from harness.runbook.scene import Scene
from harness.rundir import Clock, RunDir
from tests.refusals import refusal
from tests.standing import standing
from topology import map as topology_map
from topology.document import Place, Scalar, parse
from topology.map import Map

pytestmark = [pytest.mark.fabric, pytest.mark.takes(15)]

#: Six hours of batteries are over after 0.6 s.
HOURS = {"CLOCK_SCALE": "36000"}
TARGET = Blackout("hokkaido", 0.2, 6 * 3600.0)


def radio(**environment: str) -> Map:
    """The base stations of the project's own topology, and who looks."""
    whole = topology_map.read(library.TOPOLOGY, variables=topology_map.asked_for(["radio"]))
    stations = whole.nodes["base-stations"]
    stations = replace(stations, environment={**stations.environment, **environment})
    nodes = {"observers": whole.nodes["observers"], stations.name: stations}
    return replace(whole, nodes=nodes, carriers={}, enclosures={}, links=())


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with standing(radio(**HOURS), "observers", tmp_path_factory.mktemp("runs"), "radio") as stage:
        yield stage


@pytest.fixture
def dark(stage: Stage) -> Iterator[Darken]:
    fault = build("blackout", TARGET, stage)
    assert isinstance(fault, Darken)
    assert not fault.verify(stage).proven, "there is power"
    fault.inject(stage)
    yield fault
    fault.undo(stage)
    assert fault.verify_undone(stage).proven


def await_signal(dark: Darken, stage: Stage, share: float) -> None:
    deadline_s = time.monotonic() + 5
    while f"a signal at {share:.0%}" not in (seen := dark.verify(stage)).proof:
        assert time.monotonic() < deadline_s, seen.proof


def test_a_blackout_is_seen_by_the_batteries_that_end(stage: Stage, dark: Darken) -> None:
    assert dark.verify(stage).proven
    await_signal(dark, stage, 0.2)
    assert dark.verify(stage).proven, "important sites go on"
    assert not dark.verify_undone(stage).proven
    assert dark.undoing == {"verb": "relight", "supply": "hokkaido", "nodes": ["base-stations"]}


def test_the_runbook_brings_places_back_and_proves_it(stage: Stage, dark: Darken, tmp_path: Path) -> None:
    await_signal(dark, stage, 0.2)
    run = RunDir.create(tmp_path, "radio", 1)
    run.clock = Clock.now(1.0)
    known, place = reading.written(reading.SUPPLIED), Place("here")
    name = Scalar("bring-signal-back", "bring-signal-back", place)

    def perform(supply: str) -> str:
        runbook = reading.bind(name, told([f"supply={supply}"]), known, stage.topology)
        return Performance("try", runbook, Scene(stage, run), lambda _: None).perform().result

    assert perform("hokkaido") == PROVEN
    await_signal(dark, stage, 0.75)
    assert perform("honshu") == FAILED


def test_where_there_are_no_base_stations_nothing_can_go_dark(stage: Stage) -> None:
    nodes = {"observers": stage.topology.nodes["observers"]}
    with pytest.raises(NobodyThere, match="there are no base stations"):
        build("blackout", TARGET, replace(stage, topology=replace(stage.topology, nodes=nodes)))


@pytest.mark.parametrize(
    ("supply", "message"),
    [("hokkaid", 'did you mean "hokkaido"'), ("kanto", "expected an area of power supply: hokkaido")],
)
def test_an_area_that_there_is_not_is_refused_beforehand(supply: str, message: str) -> None:
    written = parse(f"aim: {{supply: {supply}}}", "s.yaml").as_fields().need("aim", "")
    assert message in refusal(lambda: blackout.check(Blackout(supply), radio(), written))


def test_a_topology_without_base_stations_is_refused_beforehand() -> None:
    written = parse("aim: {supply: hokkaido}", "s.yaml").as_fields().need("aim", "")
    bare = replace(radio(), nodes={})
    assert "systems: [radio]" in refusal(lambda: blackout.check(Blackout("hokkaido"), bare, written))
