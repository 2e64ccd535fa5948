"""The replica as the stack that `harness stack` writes, deployed on two engines of one Swarm."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests import engine
from tests.commands import harness
from tests.containers.composed import IMAGE, docker, need
from tests.containers.engines import Engine, swarm
from tests.name_programs import until

STACK: Final = "sc"
FABRIC: Final = f"{STACK}_fabric"
#: Drill seconds to a real one: half of the people answer within seconds.
CLOCK: Final = 1200.0
#: The zones of the second engine: half of the service, and some of what is outside of it.
OVER_THERE: Final = ("singapore.b", "world.east", "world.west", "world.softbank")
HEALTHY_WITHIN_S: Final = 240.0
GONE_WITHIN_S: Final = 60.0

Services = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Deployed:
    """`services`: as the stack file has them. `containers`: where each runs, and the engine's id of it."""

    engines: tuple[Engine, ...]
    services: Services
    containers: Mapping[str, tuple[Engine, str]]
    took_s: float

    def inside(self, service: str, *argv: str, stdin: bytes = b"") -> str:
        """What a command says inside of a service's container."""
        at, identity = self.containers[service]
        return at.docker("exec", "--interactive", identity, *argv, stdin=stdin)

    def address(self, service: str) -> str:
        at, identity = self.containers[service]
        told = at.docker("inspect", "--format", "{{json .NetworkSettings.Networks}}", identity)
        return str(yaml.safe_load(told)[FABRIC]["IPAddress"])


@contextmanager
def deployed(folder: Path, *regions: str) -> Iterator[Deployed]:
    """Healthy within the context, and gone after it. With `regions`, only these of the service."""
    engine.need()
    need("image", "inspect", IMAGE, hint="make image")
    file = folder / "stack.yml"
    words = [word for region in regions for word in ("--region", region)]
    made = harness("stack", "--output", str(file), "--clock", f"{CLOCK:g}", *words, runs=folder / "runs")
    assert made.status == 0, made.stderr
    services: Services = yaml.safe_load(file.read_text())["services"]
    images = folder / "images.tar"
    named = sorted({str(service["image"]) for service in services.values()})
    saved = docker("save", "--output", str(images), *named, within_s=180)
    assert saved.returncode == 0, saved.stderr
    with swarm(folder, 2) as engines:
        for each in engines:
            each.docker("load", "--input", str(images), within_s=300)
        images.unlink()
        manager = engines[0]
        _label(manager, services)
        began_s = time.monotonic()
        manager.docker(*("stack", "deploy", "--resolve-image", "never", "--compose-file", str(file)), STACK)
        containers = _healthy(engines, services)
        yield Deployed(engines, services, containers, time.monotonic() - began_s)
        manager.docker("stack", "rm", STACK)
        until(
            lambda: not any(each.docker("ps", "--all", "--quiet") for each in engines),
            "no container of the stack to be left",
            GONE_WITHIN_S,
        )


def zone(service: Mapping[str, Any]) -> str:
    return str(service["labels"]["topology.zone"]) if "labels" in service else ""


def _label(manager: Engine, services: Services) -> None:
    """Every zone to one of the two engines, as the head of the stack file says it."""
    own, other = (
        manager.docker("node", "ls", "--quiet", "--filter", f"role={role}") for role in ("manager", "worker")
    )
    for name in sorted({zone(service) for service in services.values()} - {""}):
        node = other if name in OVER_THERE else own
        manager.docker("node", "update", "--label-add", f"zone.{name}=true", node)


def _healthy(engines: tuple[Engine, ...], services: Services) -> Mapping[str, tuple[Engine, str]]:
    """The container of every service, once each says that it is healthy."""
    deadline_s = time.monotonic() + HEALTHY_WITHIN_S
    while True:
        found = {name: (each, identity) for each in engines for name, identity in _running(each)}
        sick = [name for name in services if name not in found or not _well(*found[name], services[name])]
        if not sick:
            return found
        if time.monotonic() > deadline_s:
            pytest.fail(f"not healthy after {HEALTHY_WITHIN_S:g} s: {', '.join(sick)}")


def _running(each: Engine) -> list[tuple[str, str]]:
    """Service and container of whatever runs there."""
    told = '{{.Label "com.docker.swarm.service.name"}} {{.ID}}'
    lines = each.docker("ps", "--format", told).splitlines()
    return [(name.removeprefix(f"{STACK}_"), identity) for name, identity in (line.split() for line in lines)]


def _well(each: Engine, identity: str, service: Mapping[str, Any]) -> bool:
    """Asks it itself. `healthy` waits rather than being asked again; Toxiproxy's image has a program of its own."""
    if "labels" not in service:
        return True  # what stands beside the nodes
    health = str(service["labels"]["topology.health"])
    asks = ("healthy", health) if service["image"] == IMAGE else ("/toxiproxy-cli", "list")
    with suppress(pytest.fail.Exception):
        each.docker("exec", identity, *asks)
        return True
    return False
