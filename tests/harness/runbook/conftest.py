from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.faults import Stage
from harness.faults.looking import answering
from harness.runbook.scene import Scene
from harness.rundir import Clock, RunDir
from tests.small import two_regions
from tests.standing import standing


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Two regions and a real status page, up and healthy, looked at from outside."""
    with standing(two_regions(), "observers", tmp_path_factory.mktemp("runs"), "runbooks") as stage:
        yield stage


@pytest.fixture
def scene(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """A run directory of its own for each test, and every node up."""
    for node in stage.topology:
        stage.runtime.start(node)
    assert answering(stage, list(stage.topology), 30).proven
    run = RunDir.create(tmp_path_factory.mktemp("runs"), "runbooks", 1)
    run.clock = Clock.now(1.0)
    return Scene(stage, run)
