"""What a killed harness leaves in the engine: nothing for longer than seconds. What is others' stays as it is."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer

from harness.runtime.docker import labels
from harness.runtime.docker.leavings import clear
from tests.commands import PATIENCE, environment

pytestmark = [pytest.mark.fabric, pytest.mark.takes(90)]

GONE_WITHIN_S = 15.0
IMAGE = "safety-confirmation/node:latest"
ANY = random.Random(3)
MOMENTS_S = [round(ANY.uniform(0, 2.5), 3) for _ in range(3)]
#: A harness in small: brings three nodes up, says so, and stays.
PROGRAM = """
import signal, sys
from pathlib import Path
from harness.rundir import RunDir
from harness.runtime import namespaces
from harness.runtime.docker import DockerRuntime
from tests import small
namespaces.own_mounts()  # what it mounts ends with it, as in a house of its own
run = RunDir.create(Path(sys.argv[1]), "killed", 1)
with run.held():
    runtime = DockerRuntime()
    print("begun", flush=True)
    runtime.prepare(small.small_map(), run)
    for node in small.small_map():
        runtime.start(node)
    print("up", flush=True)
    signal.pause()
"""


@pytest.fixture
def others(client: docker.DockerClient, monkeypatch: pytest.MonkeyPatch) -> Iterator[set[str]]:
    """A running container, a network and a volume of somebody else."""
    monkeypatch.setattr(testcontainers_config, "ryuk_disabled", True)  # its image comes from a registry
    network = client.networks.create("somebody-elses-network", internal=True, labels={"whose": "theirs"})
    volume = client.volumes.create(
        "somebody-elses-volume", labels={"resilience-harness": "not one of its labels"}
    )
    with DockerContainer(IMAGE).with_command(["sleep", "600"]) as container:
        yield {str(container.get_wrapped_container().id), str(network.id), str(volume.name)}
    network.remove()
    volume.remove()


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(tmp_path)], stdout=subprocess.PIPE, text=True, env=environment()
    )
    yield process
    process.kill()
    process.wait()
    clear()


def said(process: subprocess.Popen[str], word: str) -> None:
    assert process.stdout is not None
    assert process.stdout.readline().strip() == word


def everything(client: docker.DockerClient) -> set[str]:
    api = client.api
    return {
        *(each["Id"] for each in api.containers(all=True)),
        *(each["Id"] for each in api.networks()),
        *(each["Name"] for each in api.volumes()["Volumes"] or ()),
    }


def ours(client: docker.DockerClient, runs: Path) -> set[str]:
    """What there is in the engine of runs below a folder."""
    api, filters = client.api, {"label": labels.SESSION}
    listed = (
        *api.containers(all=True, filters=filters),
        *api.networks(filters=filters),
        *(api.volumes(filters=filters)["Volumes"] or ()),
    )
    return {
        one.get("Id") or one["Name"]
        for one in listed
        if one["Labels"].get(labels.RUN, "").startswith(str(runs))
    }


def gone(client: docker.DockerClient, runs: Path) -> bool:
    deadline_s = time.monotonic() + GONE_WITHIN_S * PATIENCE
    while ours(client, runs) and time.monotonic() < deadline_s:
        time.sleep(0.1)
    return not ours(client, runs)


@pytest.mark.parametrize("moment_s", [None, 0.05, *MOMENTS_S])
def test_sigkill_at_any_moment_leaves_nothing_but_what_is_others(
    client: docker.DockerClient,
    others: set[str],
    harness: subprocess.Popen[str],
    tmp_path: Path,
    moment_s: float | None,
) -> None:
    said(harness, "begun")
    if moment_s is None:
        said(harness, "up")
        assert len(ours(client, tmp_path)) == 3 + 1 + 4  # nodes, the network, volumes
    else:
        with pytest.raises(subprocess.TimeoutExpired):
            harness.wait(moment_s)
    os.kill(harness.pid, signal.SIGKILL)
    assert gone(client, tmp_path)
    assert others <= everything(client)


def test_clean_removes_what_no_reaper_did_and_nothing_else(
    client: docker.DockerClient, others: set[str], harness: subprocess.Popen[str], tmp_path: Path
) -> None:
    said(harness, "begun")
    said(harness, "up")
    before = ours(client, tmp_path)
    assert any(run.startswith("killed/") for run in clear().busy)
    assert ours(client, tmp_path) == before, "a run that goes on is left alone"
    for child in Path(f"/proc/{harness.pid}/task/{harness.pid}/children").read_text().split():
        os.kill(int(child), signal.SIGKILL)  # its reaper
    os.kill(harness.pid, signal.SIGKILL)
    harness.wait()
    cleared = clear()
    assert cleared.removed == len(before)
    assert not cleared.kept
    assert not ours(client, tmp_path)
    assert others <= everything(client)
