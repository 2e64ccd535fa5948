"""A Compose project that runs already is attached to, and given back as it was found, whatever ends the harness."""

from __future__ import annotations

import http.client
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import docker
import pytest
import requests

from harness.rundir import RunDir
from harness.runtime import CannotRun, NodeFailed, Runtime, namespaces
from harness.runtime.docker import DockerRuntime, labels, project
from harness.runtime.docker.leavings import clear
from harness.runtime.docker.life import Life
from tests import engine, small
from tests.commands import PATIENCE, environment, harness
from topology.map import Map, Node

pytestmark = [pytest.mark.fabric, pytest.mark.takes(40)]

BACK_WITHIN_S = 15.0
SILENCE_S = 0.4
#: A harness in small: attaches, cuts a1 off from b1, kills a2, freezes b1, says so, and stays.
PROGRAM = """
import signal, sys
from pathlib import Path
from harness.rundir import RunDir
from harness.runtime.docker import DockerRuntime
from tests import small
run = RunDir.create(Path(sys.argv[1]), "attached", 1)
nodes = small.with_link().nodes
with run.held():
    runtime = DockerRuntime(attach=sys.argv[2])
    runtime.prepare(small.with_link(), run)
    for node in nodes.values():
        runtime.start(node)
    runtime.cut([nodes["a1"]], [nodes["b1"]])
    runtime.kill(nodes["a2"])
    runtime.pause(nodes["b1"])
    print("broken", flush=True)
    signal.pause()
"""


def service(node: Node) -> dict[str, object]:
    marks = {"topology.role": node.role, "topology.zone": node.zone, "topology.health": node.health}
    return {
        "image": node.image,
        "command": [*node.command],
        "environment": {"NODE": node.name, **node.environment},
        "labels": marks,
        "networks": {"fabric": {"ipv4_address": str(node.address)}},
        "volumes": [f"{volume.name}:{volume.target}" for volume in node.volumes],
        "configs": [{"source": node.name, "target": config.target} for config in node.configs],
        "stop_grace_period": "1s",
    }


def compose_file(topology: Map) -> Mapping[str, object]:
    """The map as Compose reads it, with a service beside it that bears no labels."""
    nodes = list(topology)
    beside = {"image": "safety-confirmation/node", "command": ["sleep", "900"], "networks": {"fabric": {}}}
    return {
        "services": {**{node.name: service(node) for node in nodes}, "beside": beside},
        "networks": {"fabric": {"internal": True, "ipam": {"config": [{"subnet": "10.78.0.0/22"}]}}},
        "volumes": {volume.name: {} for node in nodes for volume in node.volumes},
        "configs": {node.name: {"content": config.content} for node in nodes for config in node.configs},
    }


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The small map and its link as a project that somebody has brought up: its name."""
    engine.need()
    name = f"by-hand-{secrets.token_hex(4)}"
    file = tmp_path_factory.mktemp("project") / "compose.yml"
    file.write_text(json.dumps(compose_file(small.with_link())))
    compose = ["docker", "compose", "--project-name", name, "--file", str(file)]
    subprocess.run([*compose, "up", "--detach"], check=True, capture_output=True, timeout=60)
    yield name
    subprocess.run([*compose, "down", "--volumes"], check=True, capture_output=True, timeout=60)


@pytest.fixture
def attached(running: str, tmp_path: Path) -> Iterator[DockerRuntime]:
    runtime = DockerRuntime(stops_within_s=1.0, attach=running)
    run = RunDir.create(tmp_path / "runs", "attached", 1)
    with run.held(), closing(runtime):
        runtime.prepare(small.with_link(), run)
        for node in small.with_link():
            runtime.start(node)
        yield runtime


def ask(runtime: Runtime, source: Node, target: Node) -> str:
    with runtime.inside(source):
        connection = http.client.HTTPConnection(str(target.address), 8000, timeout=SILENCE_S)
        connection.connect()
    connection.request("GET", "/")
    return connection.getresponse().read().decode()


def answers(runtime: Runtime, source: Node, target: Node) -> bool:
    deadline_s = time.monotonic() + BACK_WITHIN_S * PATIENCE
    while time.monotonic() < deadline_s:
        try:
            return ask(runtime, source, target) == target.name
        except OSError:
            time.sleep(0.05)
    return False


def state(client: docker.DockerClient, name: str) -> dict[str, str]:
    """What becomes of each container of the project."""
    found = client.containers.list(all=True, filters={"label": f"{project.PROJECT}={name}"})
    return {each.labels[project.SERVICE]: each.status for each in found}


def started(client: docker.DockerClient, name: str) -> dict[str, str]:
    """When each container of the project was last started."""
    found = client.containers.list(all=True, filters={"label": f"{project.PROJECT}={name}"})
    return {each.labels[project.SERVICE]: each.attrs["State"]["StartedAt"] for each in found}


def by_heart(client: docker.DockerClient, name: str) -> set[str]:
    """Which nodes still have a neighbour's hardware address written down for good."""
    knowing = set()
    for each in client.containers.list(filters={"label": [f"{project.PROJECT}={name}", project.ROLE]}):
        life = Life(each.attrs["State"]["Pid"])
        with namespaces.network(life.network):
            table = Path("/proc/thread-self/net/arp").read_text().splitlines()[1:]
        life.forget()
        if any(line.split()[2] == "0x6" for line in table):  # complete and permanent
            knowing.add(each.labels[project.SERVICE])
    return knowing


def test_faults_happen_to_the_projects_own_containers_and_it_is_given_back(
    client: docker.DockerClient, running: str, attached: DockerRuntime
) -> None:
    a1, a2, b1 = (small.with_link().nodes[name] for name in ("a1", "a2", "b1"))
    before = started(client, running)
    assert all(answers(attached, a1, target) for target in (a2, b1))
    attached.exec(b1, ["sh", "-c", "echo kept > /mnt/data/file"], 5)
    assert (attached.volume("b1") / "file").read_text() == "kept\n"
    attached.cut([a1], [a2])
    attached.kill(b1)
    for target in (a2, b1):
        with pytest.raises(TimeoutError):
            ask(attached, a1, target)
    attached.start(b1)
    assert answers(attached, a1, b1)
    attached.pause(a2)
    attached.kill(b1)
    attached.close()
    assert set(state(client, running).values()) == {"running"}
    assert by_heart(client, running) == set()
    assert {name for name, at in started(client, running).items() if at != before[name]} == {"b1"}
    assert not client.volumes.list(filters={"label": labels.ATTACHED})
    with inside(client, running, "a1"):
        for node in (a2, b1):
            assert requests.get(f"http://{node.address}:8000/", timeout=BACK_WITHIN_S).text == node.name


def test_a_node_of_a_project_is_never_replaced(attached: DockerRuntime) -> None:
    a1 = small.with_link().nodes["a1"]
    attached.kill(a1)
    with pytest.raises(NodeFailed, match="a1: it is a container of the project by-hand-"):
        attached.start(replace(a1, command=("true",)))


def test_sigkill_of_the_harness_gives_the_project_back(
    client: docker.DockerClient, running: str, tmp_path: Path
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(tmp_path), running],
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "broken"
        assert (state(client, running)["a2"], state(client, running)["b1"]) == ("exited", "paused")
        toxic = {"type": "latency", "attributes": {"latency": 1000}}
        with inside(client, running, "link"):
            requests.post(
                "http://127.0.0.1:8474/proxies/b-http/toxics", json=toxic, timeout=5
            ).raise_for_status()
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    deadline_s = time.monotonic() + BACK_WITHIN_S * PATIENCE
    while client.volumes.list(filters={"label": labels.ATTACHED}) and time.monotonic() < deadline_s:
        time.sleep(0.1)
    assert not client.volumes.list(filters={"label": labels.ATTACHED})
    assert set(state(client, running).values()) == {"running"}
    assert by_heart(client, running) == set()
    with inside(client, running, "link"):
        proxies = requests.get("http://127.0.0.1:8474/proxies", timeout=5).json()
    assert [proxy["toxics"] for proxy in proxies.values()] == [[]]
    assert clear().removed == 0


@contextmanager
def inside(client: docker.DockerClient, name: str, node: str) -> Iterator[None]:
    marks = [f"{project.PROJECT}={name}", f"{project.SERVICE}={node}"]
    (found,) = client.containers.list(filters={"label": marks})
    life = Life(found.attrs["State"]["Pid"])
    try:
        with namespaces.network(life.network):
            yield
    finally:
        life.forget()


def refusal(client: docker.DockerClient, name: str, topology: Map) -> str:
    with pytest.raises(CannotRun) as refused:
        project.find(client, name, topology)
    return str(refused.value)


def test_what_does_not_fit_is_refused_by_name_with_the_next_step(
    client: docker.DockerClient, running: str
) -> None:
    linked = small.with_link()
    assert "docker compose -p nowhere up --wait" in refusal(client, "nowhere", linked)

    def other(**changed: object) -> Map:
        return replace(linked, nodes={**linked.nodes, "a2": replace(linked.nodes["a2"], **changed)})  # type: ignore[arg-type]

    scaled = refusal(client, running, other(environment={"COLOUR": "red"}))
    assert "a2 runs with COLOUR=blue, this run needs red; COLOUR=red docker compose up --wait" in scaled
    assert "a2 bears the label topology.role web, not mailer" in refusal(
        client, running, other(role="mailer")
    )
    assert "a2 runs another command" in refusal(client, running, other(command=("true",)))
    extra = replace(linked, nodes={**linked.nodes, "beside": replace(linked.nodes["a2"], name="beside")})
    assert "beside has no containers, one is needed" in refusal(client, running, extra)


def test_a_project_is_attached_to_once(
    client: docker.DockerClient, running: str, attached: DockerRuntime
) -> None:
    assert "is attached to the project" in refusal(client, running, small.with_link())


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--attach", "mine", "--runtime", "local"], "--attach is for containers"),
        (["--attach", "mine", "az-loss"], "--attach plays one scenario"),
        (["--runtime", "docker", "--keep"], "--keep is for the local runtime"),
    ],
)
def test_what_cannot_be_meant_is_bad_input(options: list[str], says: str, tmp_path: Path) -> None:
    ran = harness("run", "calm", *options, runs=tmp_path)
    assert (ran.status, says in ran.stderr) == (2, True)
