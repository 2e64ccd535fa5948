"""Taking down what runs made in an engine. Only what bears their labels is ever touched.

A project that a run was attached to is given back, and stays.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import product
from typing import Final

import docker
from docker.errors import APIError, NotFound

from harness.runtime.docker import labels, project
from harness.runtime.docker.engine import SILENT

AT_ONCE: Final = 16
LOOKS_AGAIN_S: Final = 0.2
#: Its removal goes on already, or something still stands on it that is on its way out itself.
NOT_YET: Final = (403, 409, 500)


def remove_all(engine: docker.DockerClient, wanted: Mapping[str, str], within_s: float) -> list[str]:
    """Remove every container, network and volume with these labels, until none is left. Gives what is left in the end.

    An engine that does not answer is asked again.
    """
    deadline_s = time.monotonic() + within_s
    while left := _tried(engine, wanted):
        if time.monotonic() > deadline_s:
            break
        time.sleep(LOOKS_AGAIN_S)
    return left


def _tried(engine: docker.DockerClient, wanted: Mapping[str, str]) -> list[str]:
    try:
        return remove(engine, wanted)
    except SILENT as error:
        return [f"nobody knows what: {type(error).__name__}"]


def remove(engine: docker.DockerClient, wanted: Mapping[str, str]) -> list[str]:
    """One go at it. Gives what there was to be removed."""
    filters = {"label": [f"{name}={value}" for name, value in wanted.items()]}
    api = engine.api
    containers = [each["Id"] for each in api.containers(all=True, filters=filters)]
    networks = [each["Id"] for each in api.networks(filters=filters)]
    volumes = []
    for each in api.volumes(filters=filters)["Volumes"] or ():
        if attached := each["Labels"].get(labels.ATTACHED):
            project.let_go(engine, attached)
        volumes.append(each["Name"])
    # One at a time: engines miscount, when several leave a network at once, and keep the network for good then.
    for network, container in product(networks, containers):
        _gently(partial(api.disconnect_container_from_network, net_id=network, force=True), container)
    _each(partial(api.remove_container, v=True, force=True), containers)
    _each(api.remove_network, networks)
    _each(partial(api.remove_volume, force=True), volumes)
    return [*containers, *networks, *volumes]


def _each(remove_one: Callable[[str], object], names: Iterable[str]) -> None:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(partial(_gently, remove_one), names))


def _gently(remove_one: Callable[[str], object], name: str) -> None:
    try:
        remove_one(name)
    except NotFound:
        pass
    except APIError as error:
        if error.status_code not in NOT_YET:
            raise
