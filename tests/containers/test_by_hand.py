"""`docker compose up --wait` and `down -v`, as a person does it. Measured on two cores with nothing else: 39 s."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import engine

ROOT = Path(__file__).parents[2]
PROJECT = "replica-by-hand"
IMAGE = "safety-confirmation/node:latest"
HEALTHY_WITHIN_S = 75.0

pytestmark = [pytest.mark.drill, pytest.mark.timeout(600)]


def docker(*words: str, within_s: float = 60.0) -> subprocess.CompletedProcess[str]:
    # Any free port for the door, so that whatever else listens on this machine does no harm.
    environment = {**os.environ, "DOOR_PORT": "0", "DOOR_TLS_PORT": "0"}
    command = ["docker", *words]
    return subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, env=environment, timeout=within_s, check=False
    )


def compose(*words: str, within_s: float = 180.0) -> subprocess.CompletedProcess[str]:
    file = ROOT / "docker-compose.multi-region.yml"
    return docker("compose", "--project-name", PROJECT, "--file", str(file), *words, within_s=within_s)


def need(*asked: str, hint: str) -> None:
    """Skip the test where Docker cannot answer this; fail it where an engine is required."""
    if (answer := docker(*asked)).returncode != 0:
        why = f"docker {' '.join(asked)}: {answer.stderr.strip()}; {hint}"
        (pytest.fail if os.environ.get(engine.REQUIRED) == "1" else pytest.skip)(why)


def containers() -> list[dict[str, Any]]:
    listed = compose("ps", "--all", "--format", "json").stdout
    return [json.loads(line) for line in listed.splitlines()]


def left() -> list[str]:
    """What the engine still has of the project."""
    mine = f"label=com.docker.compose.project={PROJECT}"
    kinds = (("ps", "--all"), ("volume", "ls"), ("network", "ls"))
    return [line for kind in kinds for line in docker(*kind, "--quiet", "--filter", mine).stdout.splitlines()]


@pytest.fixture(scope="module")
def took_s() -> Iterator[float]:
    """The replica, brought up by hand: how long that took."""
    engine.need()
    need("compose", "version", hint="topology/image/engine.sh installs it")
    need("image", "inspect", IMAGE, hint="make image")
    compose("down", "--volumes")
    began_s = time.monotonic()
    up = compose("up", "--wait")
    lasted_s = time.monotonic() - began_s
    try:
        if up.returncode != 0:
            told = [f"{each['Service']}: {each['Status']}" for each in containers()]
            pytest.fail("\n".join(["up --wait failed", up.stderr[-2000:], *told]))
        yield lasted_s
    finally:
        down = compose("down", "--volumes")
        assert down.returncode == 0, down.stderr[-2000:]
        assert left() == []


def test_the_whole_replica_is_healthy_in_time(took_s: float) -> None:
    assert {each["Health"] for each in containers()} == {"healthy"}
    assert took_s <= HEALTHY_WITHIN_S


@pytest.mark.parametrize(("inside", "scheme"), [("8080", "http"), ("8443", "https")])
def test_the_service_is_seen_on_a_port_of_this_machine(took_s: float, inside: str, scheme: str) -> None:
    published = compose("port", "door", inside).stdout.strip()
    assert published.startswith("127.0.0.1:")
    look = (
        "import ssl, sys, urllib.request as r;"
        "print(r.urlopen(sys.argv[1], timeout=20, context=ssl._create_unverified_context()).read().decode())"
    )
    # From the engine's own network: tests stand in one of their own.
    page = docker(
        *("run", "--rm", "--network", "host", IMAGE, "python", "-c", look, f"{scheme}://{published}/")
    )
    assert page.returncode == 0, page.stderr
    assert "安否" in page.stdout


def test_a_node_is_nobody_special_and_cannot_write_beside_its_own(took_s: float) -> None:
    seen = compose(
        *("exec", "database-a", "sh", "-c"),
        "id -u; grep CapEff /proc/self/status; touch /opt/x /etc/x; touch /mnt/data/x /mnt/tmp/x && rm /mnt/data/x",
    )
    assert seen.stdout.split() == ["1000", "CapEff:", "0000000000000000"]
    assert seen.stderr.count("Read-only file system") == 2
    assert seen.returncode == 0


def test_load_and_probes_can_stand_on_a_node(took_s: float) -> None:
    for node, program in (("citizens", "harness.load"), ("observers", "harness.probes")):
        told = compose("exec", node, "python", "-c", f"import {program}.__main__ as it; print(it.__name__)")
        assert told.stdout.strip() == f"{program}.__main__", told.stderr


def test_nothing_of_the_world_outside_can_be_reached_from_a_node(took_s: float) -> None:
    routes = compose("exec", "web-a1", "cat", "/proc/net/route").stdout.splitlines()[1:]
    assert [route.split()[1] for route in routes] == ["00004D0A"]  # 10.77.0.0, little-endian, and no default
