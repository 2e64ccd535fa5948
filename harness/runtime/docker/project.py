"""A Compose project that is already running, to be attached to, and to be given back as it was found.

Only what the project's name and the labels topology.* single out is ever asked for, let alone touched.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from ipaddress import IPv4Address
from typing import Any, Final

import docker
import requests
from docker.errors import NotFound

from harness.runtime import CannotRun
from harness.runtime.docker import labels, netlink
from harness.runtime.docker.engine import SILENT, asked
from harness.runtime.docker.life import Life
from harness.runtime.namespaces import network
from topology.map import Map, Node

# Compose's own.
PROJECT: Final = "com.docker.compose.project"
SERVICE: Final = "com.docker.compose.service"
VOLUME: Final = "com.docker.compose.volume"
ROLE, HEALTH = "topology.role", "topology.health"
#: Where a node says that it is healthy that is a Toxiproxy: what was done to its connections is taken back at once.
TOXIPROXY: Final = "8474/version"
RESET_WITHIN_S: Final = 3.0
AT_ONCE: Final = 16


@dataclass(frozen=True)
class Project:
    """`containers`: the engine's id by node. `volumes`: the engine's name by the file's."""

    name: str
    containers: Mapping[str, str]
    volumes: Mapping[str, str]


def find(engine: docker.DockerClient, name: str, topology: Map) -> Project:
    """The project, if it is this very topology and all of it runs. Raises CannotRun, naming what does not fit."""
    with asked(f"tell of the project {name}"):
        found = list(_nodes(engine, name))
        volumes = engine.api.volumes(filters={"label": f"{PROJECT}={name}"})["Volumes"] or []
        held = engine.api.volumes(filters={"label": f"{labels.ATTACHED}={name}"})["Volumes"] or []
    if held:
        run = held[0]["Labels"].get(labels.RUN)
        raise CannotRun(
            f"the run {run} is attached to the project {name}; wait for its end, or harness clean"
        )
    if not found:
        raise CannotRun(
            f"no project {name} whose services bear the label {ROLE} is running on this engine; docker compose ls "
            f"lists those that are, docker compose -p {name} up --wait starts one"
        )
    by_service: dict[str, list[dict[str, Any]]] = {}
    for each in found:
        by_service.setdefault(each["Config"]["Labels"].get(SERVICE, ""), []).append(each)
    for node in topology:
        if wrong := _wrong(node, by_service.get(node.name, ())):
            raise CannotRun(f"the project {name} cannot be attached to: {node.name} {wrong}")
    return Project(
        name,
        {node.name: by_service[node.name][0]["Id"] for node in topology},
        {each["Labels"][VOLUME]: each["Name"] for each in volumes if VOLUME in each["Labels"]},
    )


def _wrong(node: Node, containers: Sequence[Mapping[str, Any]]) -> str:
    """What keeps these containers of a service from being that node, and what to do about it; empty if nothing."""
    again = "docker compose up --wait makes it so"
    if len(containers) != 1:
        return f"has {len(containers) or 'no'} containers, one is needed; {again}"
    (found,) = containers
    if (state := found["State"]["Status"]) != "running":
        return f"is {state}; {again}"
    said = found["Config"]["Labels"]
    for label, wanted in ((ROLE, node.role), ("topology.zone", node.zone), (HEALTH, node.health)):
        if said.get(label) != wanted:
            return f"bears the label {label} {said.get(label)}, not {wanted} as in the topology (--topology)"
    if _address(found) != node.address:
        return f"has the address {_address(found)}, not {node.address} as in the topology (--topology)"
    if found["Config"]["Cmd"] != [*node.command]:
        return "runs another command than in the topology (--topology, --with)"
    set_to = dict(each.partition("=")[::2] for each in found["Config"]["Env"] or ())
    for name, wanted in node.environment.items():
        if set_to.get(name) != wanted:
            return (
                f"runs with {name}={set_to.get(name, '')}, this run needs {wanted}; {name}={wanted} {again}"
            )
    return ""


def let_go(engine: docker.DockerClient, name: str) -> None:
    """Give it back as it was found: every node runs, asks for its neighbours itself, and nothing is cut any more.

    What is gone in the meantime, or will not, is left alone.
    """
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = list(_nodes(engine, name))
        known = [address for each in found if (address := _address(each)) is not None]
        list(pool.map(partial(_release, engine, known), found))


def _release(engine: docker.DockerClient, known: Sequence[IPv4Address], found: Mapping[str, Any]) -> None:
    with suppress(*SILENT):
        if found["State"]["Paused"]:
            engine.api.unpause(found["Id"])
        if not found["State"]["Running"]:
            engine.api.start(found["Id"])
            return  # its network is a new one
        life = Life(found["State"]["Pid"])
        try:
            with network(life.network):
                netlink.forget(known)
                if found["Config"]["Labels"].get(HEALTH) == TOXIPROXY:
                    port = TOXIPROXY.partition("/")[0]
                    requests.post(f"http://127.0.0.1:{port}/reset", timeout=RESET_WITHIN_S)
        finally:
            life.forget()


def _nodes(engine: docker.DockerClient, name: str) -> Iterator[dict[str, Any]]:
    """What the engine tells of each container of the project that bears the labels."""
    for each in engine.api.containers(all=True, filters={"label": [f"{PROJECT}={name}", ROLE]}):
        with suppress(NotFound):
            yield engine.api.inspect_container(each["Id"])


def _address(found: Mapping[str, Any]) -> IPv4Address | None:
    """The one that it was given for good."""
    for endpoint in found["NetworkSettings"]["Networks"].values():
        if given := (endpoint.get("IPAMConfig") or {}).get("IPv4Address"):
            return IPv4Address(given)
    return None
