"""An engine that is not there, too old, or not to be used; what it lacks: one message each, with the next step."""

from __future__ import annotations

import http.server
import json
import os
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import IPv4Network
from pathlib import Path

import docker
import pytest
from docker.types import IPAMConfig, IPAMPool

from harness.rundir import RunDir
from harness.runtime import CannotRun
from harness.runtime.docker import DockerRuntime, images, labels
from harness.runtime.docker.engine import reach
from harness.runtime.docker.nearness import hindrance
from harness.runtime.docker.networking import subnet
from tests.commands import harness
from tests.small import small_map

pytestmark = [pytest.mark.fabric]

NOBODY = 65534


class Old(http.server.BaseHTTPRequestHandler):
    """An engine of another age, as far as it is asked."""

    def do_GET(self) -> None:
        body = json.dumps({"Version": "19.03.15", "ApiVersion": "1.40", "MinAPIVersion": "1.12"}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        return ""

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def old(tmp_path: Path) -> Iterator[str]:
    path = str(tmp_path / "old.sock")
    with socketserver.ThreadingUnixStreamServer(path, Old) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"unix://{path}"
        server.shutdown()


def test_no_engine_is_exit_4_with_the_next_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    ran = harness("run", "calm", "--runtime", "docker", runs=tmp_path / "runs")
    assert ran.status == 4
    assert ran.stderr.strip() == (
        f"harness: no container engine at unix://{tmp_path}/none.sock; start it (systemctl start docker), "
        "or say in DOCKER_HOST where another one listens"
    )
    assert not (tmp_path / "runs").exists(), "nothing was begun"


def test_an_engine_that_is_too_old_is_told_with_what_is_needed(
    old: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", old)
    with pytest.raises(CannotRun, match=r"is Docker 19\.03\.15 \(API 1\.40\); 20\.10 \(API 1\.41\) or newer"):
        reach()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody who may not")
def test_a_socket_that_may_not_be_used_is_told_with_how_to_be_allowed(old: str) -> None:
    path = Path(old.removeprefix("unix://"))
    path.chmod(0o600)
    for folder in list(path.parents)[:3]:
        folder.chmod(0o755)
    script = f"import os; from harness.runtime.docker.engine import reach; os.setuid({NOBODY}); reach()"
    ran = subprocess.run(
        [sys.executable, "-c", script], env={**os.environ, "DOCKER_HOST": old}, capture_output=True
    )
    assert b"this user may not use the container engine" in ran.stderr.splitlines()[-1]
    assert b"usermod -aG docker USER" in ran.stderr.splitlines()[-1]


def test_an_image_that_is_not_at_hand_is_named_with_how_to_make_it(client: docker.DockerClient) -> None:
    nodes = {node.name: replace(node, image="no-such/image:9") for node in small_map()}
    with pytest.raises(CannotRun, match=r"no image no-such/image:9; make image "):
        images.refuse_without(client, replace(small_map(), nodes=nodes))


@pytest.mark.parametrize(
    ("marks", "whose", "step"),
    [
        (
            {"com.docker.compose.project": "by-hand"},
            "the Compose project by-hand",
            "docker compose -p by-hand down",
        ),
        ({labels.RUN: "/runs/x/1"}, "the run /runs/x/1", "harness clean"),
        ({}, "the network somebody-elses", "--topology"),
    ],
)
def test_addresses_that_are_taken_are_told_with_who_has_them_and_nothing_is_made(
    client: docker.DockerClient, tmp_path: Path, marks: dict[str, str], whose: str, step: str
) -> None:
    pool = IPAMPool(subnet="10.78.2.0/25")
    network = client.networks.create(
        "somebody-elses", internal=True, ipam=IPAMConfig(pool_configs=[pool]), labels=marks
    )
    runtime = DockerRuntime()
    try:
        with pytest.raises(CannotRun) as refused:
            runtime.prepare(small_map(), RunDir.create(tmp_path, "taken", 1))
        assert f"10.78.0.0/22 are taken by {whose} (10.78.2.0/25)" in str(refused.value)
        assert step in str(refused.value)
        assert not client.volumes.list(filters={"label": f"{labels.RUN}={tmp_path}"})
    finally:
        runtime.close()
        network.remove()


@pytest.mark.parametrize(
    ("info", "says"),
    [
        (
            {"Name": "elsewhere", "KernelVersion": "6.1", "OperatingSystem": "Docker Desktop"},
            "on another machine",
        ),
        ({"SecurityOptions": ["name=seccomp", "name=rootless"]}, "rootless"),
    ],
)
def test_an_engine_whose_networks_cannot_be_entered_is_refused_by_name(
    info: dict[str, object], says: str
) -> None:
    here = {"Name": os.uname().nodename, "KernelVersion": os.uname().release}
    assert says in hindrance({**here, **info})


def test_the_network_of_a_run_has_the_addresses_of_all_zones_and_few_more() -> None:
    assert subnet(small_map()) == IPv4Network("10.78.0.0/22")
