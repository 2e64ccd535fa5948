from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import docker
import pytest

from harness.rundir import RunDir
from harness.runtime import Runtime
from harness.runtime.docker import DockerRuntime
from harness.runtime.docker.engine import reach
from harness.runtime.local import LocalRuntime
from tests import engine, small
from topology.map import Map

#: What a node is given to end by itself.
STOPS_WITHIN_S = 1.0


@pytest.fixture(scope="session")
def small_map() -> Map:
    return small.small_map()


@pytest.fixture(params=["local", "docker"])
def runtime(request: pytest.FixtureRequest, small_map: Map, tmp_path: Path) -> Iterator[Runtime]:
    """A runtime with every node of the small map started. What a runtime must promise is tested on each."""
    if request.param == "docker":
        engine.need()
    kinds: dict[str, type[LocalRuntime] | type[DockerRuntime]] = {
        "local": LocalRuntime,
        "docker": DockerRuntime,
    }
    made: Runtime = kinds[request.param](stops_within_s=STOPS_WITHIN_S)
    run = RunDir.create(tmp_path / "runs", "conformance", 1)
    with run.held(), closing(made):
        made.prepare(small_map, run)
        for node in small_map:
            made.start(node)
        yield made


@pytest.fixture
def client() -> Iterator[docker.DockerClient]:
    engine.need()
    client = reach()
    yield client
    client.close()
