"""The fence register, asked as runbooks and `harness status` do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from harness.faults import Stage
from harness.faults.looking import answering
from harness.runbook.commands import fence
from harness.runbook.scene import Scene
from harness.rundir import RunDir
from harness.runtime.local import LocalRuntime
from tests.small import two_regions

pytestmark = pytest.mark.fabric


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """A real fence that begins with `here`, seen by the observers."""
    small = two_regions()
    register = replace(
        small.nodes["status-page"],
        name="fence",
        role="fence",
        command=("python", "-m", "topology", "fence"),
        environment={"WRITABLE": "here", "REGIONS": "here,there"},
    )
    topology = replace(small, nodes={"observers": small.nodes["observers"], "fence": register})
    runtime, run = LocalRuntime(), RunDir.create(tmp_path, "fence", 1)
    runtime.prepare(topology, run)
    try:
        at = Stage(runtime, topology, topology.nodes["observers"])
        for node in topology:
            runtime.start(node)
        assert answering(at, list(topology), 30).proven
        yield Scene(at, run)
    finally:
        runtime.close()


def test_who_may_write_is_told_in_words(scene: Scene) -> None:
    assert fence.told(scene) == "here may write, epoch 0"
    fence.fence(scene, {"region": "here"})
    assert fence.told(scene) == "nobody may write, epoch 1"
    fence.promote(scene, {"to": "there"})
    assert fence.told(scene) == "there may write, epoch 2"
    scene.stage.runtime.kill(scene.the("fence"))
    assert fence.told(scene).startswith("the register gives no answer: fence: ")


def test_where_there_is_no_register_there_is_nothing_to_tell(scene: Scene) -> None:
    bare = replace(scene.stage, topology=two_regions())
    assert fence.told(replace(scene, stage=bare)) == ""
