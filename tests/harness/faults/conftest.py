from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.faults import Stage
from harness.faults.looking import answering
from harness.rundir import RunDir
from harness.runtime.local import LocalRuntime
from tests import small


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The small topology with an access link and names, up and healthy, looked at from a2."""
    runtime, topology = LocalRuntime(), small.with_names()
    runtime.prepare(topology, RunDir.create(tmp_path_factory.mktemp("runs"), "effects", 1))
    try:
        at = Stage(runtime, topology, topology.nodes["a2"])
        for node in topology:
            runtime.start(node)
        assert answering(at, list(topology), 30).proven
        yield at
    finally:
        runtime.close()
