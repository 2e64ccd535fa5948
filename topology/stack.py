"""The compose file as a stack for Docker Swarm, which spreads the nodes over engines by the zone of each.

`docker stack deploy` reads version 3 of compose files, and so not all that Compose does. What a word becomes there, or
that it is left out, is said here; a word of which nothing is said is refused, so that nothing is lost silently.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from typing import Final, TypeAlias

from topology import map as topology_map
from topology import stack_header
from topology.compose import Service, content_of, read_project
from topology.document import Fields, dump
from topology.map import Map

Data: TypeAlias = dict[str, object]

#: Words that mean the same in a stack.
_KEPT: Final = (
    *("user", "read_only", "cap_drop", "cap_add", "configs", "logging", "init", "stop_grace_period"),
    *("stop_signal", "sysctls", "ulimits", "working_dir", "tty", "stdin_open", "dns", "dns_search"),
)
#: Words that are written anew here.
_WRITTEN: Final = (
    *("image", "command", "environment", "hostname", "labels", "networks", "volumes", "tmpfs", "profiles"),
)
#: A node that ends is started anew after this: one that lacks another one ends, and all start at once.
_STARTED_ANEW_AFTER: Final = "3s"


@dataclass(frozen=True)
class Stack:
    """`text`: the stack file. `configs`: the files that it names, by their path beside it."""

    text: str
    configs: Mapping[str, str]


def stack(
    path: Path | str,
    overrides: Iterable[Path | str] = (),
    variables: Mapping[str, str] | None = None,
    only: Iterable[str] = (),
    configs: str = "configs",
) -> Stack:
    """The stack of a compose file, read as `topology.map.read` does; with `only`, of these regions of the service.

    `configs` is the folder beside the stack file where the files of its configs are. Raises BadInput, also for a word
    that Swarm has nothing for.
    """
    files = [Path(each) for each in overrides]
    whole = topology_map.read(path, files, variables)
    regions = tuple(only)
    topology = whole.only(regions) if regions else whole
    project = read_project(Path(path), files, variables or {})
    gone = set(whole.nodes) - set(topology.nodes)
    written = project.file.need("services", "the services").as_fields()
    services = {name: each for name, each in project.services.items() if name not in gone}
    left_out: set[str] = set()
    made: Data = {}
    for name, service in services.items():
        fields = written.need(name, "a service").as_fields()
        left_out |= _left_out(fields)
        made[name] = _service(service, fields, topology)
    inside = _contents(project.file, services, written, Path(path).parent)
    data: Data = {
        "version": "3.8",
        "services": made,
        "networks": _networks(project.file, services, written),
        "volumes": _declared(
            project.file, {each.source for one in services.values() for each in one.volumes}
        ),
        "configs": {name: {"file": f"./{configs}/{name}"} for name in inside},
    }
    zones = sorted({zone for each in services.values() if (zone := _zone(each, topology))})
    header = stack_header.written(project.name, zones, left_out)
    kept = {key: value for key, value in data.items() if value}
    return Stack(header + dump(_literal(kept)), {f"{configs}/{name}": text for name, text in inside.items()})


def _left_out(service: Fields) -> set[str]:
    """Words that a stack does without. Raises BadInput for one of which nothing is known."""
    said = (*_KEPT, *_WRITTEN, *stack_header.WITHOUT)
    for key in service.values:
        if key not in said and not key.startswith("x-"):
            raise service.bad_key(key, "nothing that a service of Docker Swarm cannot be told")
    return {key for key in service.values if key in stack_header.WITHOUT}


def _service(service: Service, written: Fields, topology: Map) -> Data:
    node = topology.nodes.get(service.name)
    kept = {key: written.values[key].content for key in _KEPT if written.get(key)}
    made: Data = {
        "image": service.image,
        "hostname": service.name,
        "command": list(service.command),
        "environment": dict(node.environment if node else service.environment),
        **kept,
        "networks": _attached(written.need("networks", "the networks").as_fields()),
        "volumes": [*_volumes(written), *_scratch(service)],
        "labels": {name: value.as_text("a label's value") for name, value in service.labels},
        "deploy": _deploy(_zone(service, topology)),
    }
    return {key: value for key, value in made.items() if value or key in kept}


def _deploy(zone: str) -> Data:
    """One of it, on an engine of its zone, found under its own address: Swarm's virtual one would hide who calls."""
    made: Data = {
        "replicas": 1,
        "endpoint_mode": "dnsrr",
        "restart_policy": {"condition": "any", "delay": _STARTED_ANEW_AFTER},
    }
    if zone:
        made["placement"] = {"constraints": [f"node.labels.{stack_header.label(zone)} == true"]}
    return made


def _zone(service: Service, topology: Map) -> str:
    """Where it stands; of what stands beside the nodes its address tells. Empty where nothing does."""
    if node := topology.nodes.get(service.name):
        return node.zone
    return _zone_of(service.address, topology)


def _zone_of(address: IPv4Address, topology: Map) -> str:
    zones = (zone for region in topology.regions.values() for zone in region.zones)
    return next((zone.name for zone in zones if address in zone.subnet), "")


def _attached(networks: Fields) -> Data:
    """The networks that a service is on, without its address, which Swarm chooses."""
    made: Data = {}
    for name in networks.values:
        value = networks.get(name)
        fields = value.as_fields("how it is attached") if value else Fields({}, {}, networks.place)
        fields.only("ipv4_address", "aliases")
        made[name] = {"aliases": fields.values["aliases"].content} if "aliases" in fields else {}
    return made


def _declared(file: Fields, used: Collection[str]) -> Data:
    """The volumes that are used, as they are declared."""
    volumes = file.get("volumes")
    return {
        name: value.content or {} for name, value in (volumes.as_fields() if volumes else ()) if name in used
    }


def _volumes(written: Fields) -> Sequence[object]:
    value = written.get("volumes")
    return [each.content for each in value.as_items()] if value else []


def _scratch(service: Service) -> Sequence[Data]:
    """Swarm's tmpfs lets nothing be executed. What must be is on a volume without a name, which ends with its task."""
    return [
        {"type": "volume" if "exec" in options.split(",") else "tmpfs", "target": folder}
        for folder, options in service.confinement.scratch.items()
    ]


def _networks(file: Fields, services: Mapping[str, Service], written: Fields) -> Data:
    """Those that are used, each laid over all engines. What only a bridge knows is left out."""
    used = {
        name
        for service in services
        for name in written.need(service, "").as_fields().need("networks", "").as_fields().values
    }
    declared = file.need("networks", "the networks").as_fields()
    made: Data = {}
    for name in declared.values:
        if name not in used:
            continue
        value = declared.get(name)
        fields = value.as_fields("a network") if value else Fields({}, {}, declared.place)
        fields.only("internal", "driver", "driver_opts", "ipam", "attachable", "labels", extensions=True)
        kept = {key: fields.values[key].content for key in ("internal", "ipam", "labels") if fields.get(key)}
        made[name] = {"driver": "overlay", "attachable": True, **kept}
    return made


def _contents(
    file: Fields, services: Mapping[str, Service], written: Fields, folder: Path
) -> Mapping[str, str]:
    """What the configs hold that are used, by name: Swarm takes them from files alone."""
    used: list[str] = []
    for service in services:
        value = written.need(service, "").as_fields().get("configs")
        for each in value.as_items() if value else ():
            source = each.need("source", "a config's name") if isinstance(each, Fields) else each
            used.append(source.as_text("a config's name"))
    declared = file.get("configs")
    if declared is None:
        return {}
    return {
        name: content_of(name, value, folder)
        for name, value in declared.as_fields("configs")
        if name in dict.fromkeys(used)
    }


def _literal(data: Data) -> Data:
    """The same with every dollar sign doubled: `docker stack deploy` replaces variables, too."""
    return {key: _doubled(value) for key, value in data.items()}


def _doubled(value: object) -> object:
    match value:
        case str():
            return value.replace("$", "$$")
        case list():
            return [_doubled(each) for each in value]
        case dict():
            return {key: _doubled(each) for key, each in value.items()}
    return value
