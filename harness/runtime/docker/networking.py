"""The network of a run: one bridge with the addresses of the compose file, and no way out."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from ipaddress import IPv4Network
from typing import Final

import docker
from docker.errors import APIError
from docker.types import IPAMConfig, IPAMPool

from harness.runtime import CannotRun
from harness.runtime.docker import labels
from harness.runtime.docker.engine import asked
from topology.map import Map

#: The machine itself stands on no run's network: it gets no address there, and no route of its own is covered.
NO_HOST: Final = {"com.docker.network.bridge.inhibit_ipv4": "true"}


def subnet(topology: Map) -> IPv4Network:
    """The smallest network that has the addresses of all zones."""
    zones = [zone.subnet for zone in topology.zones.values()]
    whole = zones[0]
    while not all(zone.subnet_of(whole) for zone in zones):
        whole = whole.supernet()
    return whole


def create(engine: docker.DockerClient, topology: Map, name: str, marks: Mapping[str, str]) -> None:
    """Make the network. Raises CannotRun when somebody has its addresses, telling who."""
    whole = subnet(topology)
    _refuse_taken(engine, whole)
    pool = IPAMPool(subnet=str(whole))
    with asked(f"make the network {whole}"):
        try:
            engine.api.create_network(
                name,
                driver="bridge",
                ipam=IPAMConfig(pool_configs=[pool]),
                internal=True,
                options=NO_HOST,
                labels=dict(marks),
                check_duplicate=True,
            )
        except APIError as error:
            if "overlap" in str(error.explanation):
                _refuse_taken(engine, whole)  # somebody was quicker
            raise


def _refuse_taken(engine: docker.DockerClient, whole: IPv4Network) -> None:
    with asked("list its networks"):
        networks = engine.api.networks()
    for each in networks:
        for theirs in _subnets(each):
            if theirs.overlaps(whole):
                raise CannotRun(
                    f"the addresses {whole} are taken by {_whose(each)} ({theirs}); {_next(each)}"
                )


def _subnets(network: Mapping[str, object]) -> list[IPv4Network]:
    ipam = network.get("IPAM")
    configs = ipam.get("Config") if isinstance(ipam, dict) else None
    found = []
    for config in configs or ():
        written = ipaddress.ip_network(config.get("Subnet") or "0.0.0.0/32", strict=False)
        if isinstance(written, IPv4Network):
            found.append(written)
    return found


def _whose(network: Mapping[str, object]) -> str:
    marks = _marks(network)
    if labels.RUN in marks:
        return f"the run {marks[labels.RUN]}"
    if project := marks.get("com.docker.compose.project"):
        return f"the Compose project {project}"
    return f"the network {network['Name']}"


def _next(network: Mapping[str, object]) -> str:
    marks = _marks(network)
    if labels.RUN in marks:
        return "wait for its end (harness down ends what is up), or remove what it left with harness clean"
    if project := marks.get("com.docker.compose.project"):
        return f"docker compose -p {project} down takes it down"
    return "give the topology other addresses (--topology), or remove that network if it is yours"


def _marks(network: Mapping[str, object]) -> Mapping[str, str]:
    marks = network.get("Labels")
    return marks if isinstance(marks, dict) else {}
