"""MAPS on real nodes: two blocks on enclosures that fail, the steering, and the runbook that widens a block."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from harness import library
from harness.failure import Failure
from harness.faults import Stage
from harness.faults.fail import Fail
from harness.runbook import reading
from harness.runbook.commands import areas as commands
from harness.runbook.engine import Performance
from harness.runbook.journal import FAILED, PROVEN
from harness.runbook.model import Arguments
from harness.runbook.parameters import told
from harness.runbook.proofs import areas as proofs
from harness.runbook.scene import Refused, Scene
from harness.rundir import Clock, RunDir
from tests.standing import standing
from topology import map as topology_map
from topology.document import Place, Scalar
from topology.map import AccessNetwork, Map

pytestmark = [pytest.mark.fabric, pytest.mark.takes(40)]

MSB, MSF = "maps-msb", "maps-msf"


def maps(**environment: str) -> Map:
    """The steering and two blocks of the project's own topology, and who looks; `environment` is the blocks'."""
    whole = topology_map.read(library.TOPOLOGY, variables=topology_map.asked_for(["maps"]))
    names = [name for name in whole.nodes if name.startswith((MSB, MSF)) or name == "observers"]
    nodes = {name: whole.nodes[name] for name in names}
    for name in (MSB, MSF):
        nodes[name] = replace(nodes[name], environment={**nodes[name].environment, **environment})
    steering = whole.nodes["maps-steering"]
    told = {**steering.environment, "BLOCKS": f"{MSB},{MSF}", "AREAS_EACH": "2"}
    nodes[steering.name] = replace(steering, environment=told)
    docomo = replace(whole.carriers["docomo"], access=AccessNetwork(steering.name, (MSB, MSF)))
    on = {node.enclosure for node in nodes.values()}
    enclosures = {name: each for name, each in whole.enclosures.items() if name in on}
    return replace(whole, nodes=nodes, carriers={"docomo": docomo}, enclosures=enclosures)


@pytest.fixture(scope="module")
def blind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Blocks with the bug, none of which has failed."""
    topology = maps(DETECTOR="answers")
    with standing(topology, "observers", tmp_path_factory.mktemp("runs"), "blind") as stage:
        yield stage


@pytest.fixture
def scene(blind: Stage, tmp_path: Path) -> Scene:
    scene = opened(blind, tmp_path)
    commands.give_back(scene, {"block": MSF})
    return scene


def opened(stage: Stage, folder: Path) -> Scene:
    run = RunDir.create(folder, "areas", 1)
    run.clock = Clock.now(1.0)
    return Scene(stage, run)


def moved(count: int, block: str = MSB, of: str = MSF) -> Arguments:
    return {"block": block, "of": of, "areas": count}


def storage_failure(stage: Stage) -> Fail:
    return Fail(["maps-msf-storage-1"], Failure.BROKEN, [stage.topology.nodes["maps-msf-1"]])


def let_in(scene: Scene, block: str) -> int:
    network = proofs._network(scene, block)
    assert network is not None
    return scene.ask(scene.stage.topology.nodes[block], "POST", "/sessions", network.session(1)).status


def test_a_block_is_widened_and_handsets_of_the_areas_are_let_in(scene: Scene) -> None:
    assert not proofs.served(scene, moved(1)).proven
    assert commands.widen(scene, moved(1)) == f"{MSB} serves 1 areas of {MSF}, 1 more than before"
    assert commands.widen(scene, moved(1)) == f"{MSB} serves 1 areas of {MSF} already"
    seen = proofs.served(scene, moved(1))
    assert (seen.proven, seen.proof) == (True, f"handsets of 1 areas of {MSF} are let in by {MSB}")
    assert [event.data["areas"] for event in scene.run.events("block.widened")] == [1], (
        "what changed is told once"
    )
    with pytest.raises(Refused, match="itself serves 1 of its areas"):
        commands.widen(scene, moved(3))
    assert commands.give_back(scene, {"block": MSF}) == f"{MSF} serves all of its own areas"
    assert not proofs.served(scene, moved(1)).proven


def test_a_block_tells_whether_its_own_handsets_suffer(scene: Scene) -> None:
    assert let_in(scene, MSB) == 201
    assert proofs.unharmed(scene, {"block": MSB, "p95": 5.0}).proven
    seen = proofs.unharmed(scene, {"block": MSB, "p95": 0.001})
    assert not seen.proven
    assert "95th percentile" in seen.proof


def test_the_runbook_moves_one_area_and_proves_it_and_stops_where_there_is_none_left(scene: Scene) -> None:
    known = reading.written(reading.SUPPLIED)

    def perform(count: int) -> str:
        place = Place("here")
        given = told([f"block={MSB}", f"of={MSF}", f"areas={count}"])
        runbook = reading.bind(
            Scalar("widen-block", "widen-block", place), given, known, scene.stage.topology
        )
        assert let_in(scene, MSB) == 201  # a block in which nobody was let in lately can prove nothing
        return Performance("try", runbook, scene, lambda _: None).perform().result

    assert perform(1) == PROVEN
    assert commands.read(scene).areas.served(MSB, MSF) == [2]
    assert perform(3) == FAILED
    assert commands.read(scene).areas.served(MSB, MSF) == [2]


def test_with_the_bug_users_are_cut_off_for_as_long_as_the_storage_is_broken(scene: Scene) -> None:
    fault = storage_failure(scene.stage)
    fault.inject(scene.stage)
    try:
        assert fault.verify(scene.stage).proven
        deadline_s = time.monotonic() + 2
        while time.monotonic() < deadline_s:
            assert let_in(scene, MSF) == 503
        assert let_in(scene, MSB) == 201
        commands.widen(scene, moved(2))
        assert proofs.served(scene, moved(2)).proven, "they come in by the other block"
    finally:
        fault.undo(scene.stage)
    assert fault.verify_undone(scene.stage).proven
    await_let_in(scene, MSF, 10)


def test_a_sound_detector_switches_paths_within_seconds(tmp_path: Path) -> None:
    with standing(maps(), "observers", tmp_path, "sound") as stage:
        scene = opened(stage, tmp_path)
        fault = storage_failure(stage)
        fault.inject(stage)
        try:
            assert fault.verify(stage).proven
            await_let_in(scene, MSF, 5)
            assert scene.ask(stage.topology.nodes[MSF], "GET", "/state").json["path"] == "maps-msf-2:8000"
        finally:
            fault.undo(stage)


def await_let_in(scene: Scene, block: str, within_s: float) -> None:
    deadline_s = time.monotonic() + within_s
    while let_in(scene, block) != 201:
        assert time.monotonic() < deadline_s, f"nobody is let in by {block} within {within_s:g} s"
