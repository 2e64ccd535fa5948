"""Whatever ends the harness, at whatever moment, nothing of its run is left in the engine; what is others' stays."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
from testcontainers.core.container import DockerContainer

from harness.runtime.docker import labels
from harness.runtime.docker.engine import reach
from tests import engine
from tests.commands import PATIENCE, harness, start

pytestmark = [pytest.mark.fabric, pytest.mark.drill]

GONE_WITHIN_S = 15.0
IMAGE = "safety-confirmation/node:latest"


@pytest.fixture
def client() -> Iterator[docker.DockerClient]:
    engine.need()
    client = reach()
    yield client
    client.close()


@pytest.fixture
def others(client: docker.DockerClient, monkeypatch: pytest.MonkeyPatch) -> Iterator[set[str]]:
    """A container, a network and a volume of somebody else."""
    from testcontainers.core.config import testcontainers_config

    monkeypatch.setattr(testcontainers_config, "ryuk_disabled", True)  # its image comes from a registry
    network = client.networks.create(
        "somebody-elses-network", internal=True, labels={"whose": "somebody else's"}
    )
    volume = client.volumes.create("somebody-elses-volume", labels={"resilience-harness": "looks like ours"})
    container = DockerContainer(IMAGE).with_command(["sleep", "600"]).with_name("somebody-elses-container")
    container.start()
    try:
        yield {str(container.get_wrapped_container().id), str(network.id), str(volume.name)}
    finally:
        container.stop()
        network.remove()
        volume.remove()


def ours(client: docker.DockerClient, runs: Path) -> dict[str, str]:
    """What there is in the engine of runs below a folder: what it is, by its name."""
    found: dict[str, str] = {}
    api = client.api
    listed = {
        "container": api.containers(all=True, filters={"label": labels.SESSION}),
        "network": api.networks(filters={"label": labels.SESSION}),
        "volume": api.volumes(filters={"label": labels.SESSION})["Volumes"] or [],
    }
    for kind, each in listed.items():
        found |= {
            str(one.get("Id") or one["Name"]): kind
            for one in each
            if one["Labels"][labels.RUN].startswith(str(runs))
        }
    return found


def everything(client: docker.DockerClient) -> set[str]:
    api = client.api
    return {
        *(each["Id"] for each in api.containers(all=True)),
        *(each["Id"] for each in api.networks()),
        *(each["Name"] for each in api.volumes()["Volumes"] or ()),
    }


def gone(client: docker.DockerClient, runs: Path, within_s: float) -> None:
    deadline_s = time.monotonic() + within_s * PATIENCE
    while left := ours(client, runs):
        assert time.monotonic() < deadline_s, f"still there after {within_s:g} s: {sorted(left.values())}"
        time.sleep(0.2)


def some_are_up(client: docker.DockerClient, runs: Path, kinds: set[str]) -> bool:
    return kinds <= set(ours(client, runs).values())


@pytest.mark.parametrize("moment", ["at its beginning", "while nodes come up", "at random"])
def test_sigkill_leaves_nothing_in_the_engine_but_what_is_others(
    tmp_path: Path, client: docker.DockerClient, others: set[str], moment: str
) -> None:
    process = start("run", "calm", "--runtime", "docker", runs=tmp_path)
    waits_for = {"volume"} if moment == "at its beginning" else {"container", "network", "volume"}
    deadline_s = time.monotonic() + 60 * PATIENCE
    while not some_are_up(client, tmp_path, waits_for):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline_s
        time.sleep(0.05)
    if moment == "at random":
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(random.uniform(1.0, 25.0))
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    gone(client, tmp_path, GONE_WITHIN_S)
    assert others <= everything(client)


def test_clean_removes_what_a_run_left_whose_reaper_died_too_and_nothing_else(
    tmp_path: Path, client: docker.DockerClient, others: set[str]
) -> None:
    process = start("run", "calm", "--runtime", "docker", runs=tmp_path)
    deadline_s = time.monotonic() + 60 * PATIENCE
    while not some_are_up(client, tmp_path, {"container", "network", "volume"}):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline_s
        time.sleep(0.05)
    busy = harness("clean", runs=tmp_path)
    assert busy.status == 0, busy
    assert ours(client, tmp_path), "a run that goes on is left alone"
    for reaper in reapers(process.pid):
        os.kill(reaper, signal.SIGKILL)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert ours(client, tmp_path)
    cleaned = harness("clean", runs=tmp_path)
    assert cleaned.status == 0, cleaned
    assert not ours(client, tmp_path)
    assert others <= everything(client)


def reapers(pid: int) -> list[int]:
    """The reapers that a harness began."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in children if b"reaper" in Path(f"/proc/{child}/cmdline").read_bytes()]
