"""What stands where: the compose file as plain data.

Everything here is frozen and pure. `read` turns a compose file (and override files laid over it, as Compose
does) into a `Map`; nothing else in the project reads compose files.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Final

from topology.compose import Service, read_project
from topology.document import BadInput, Fields, Value, nearest, one_of


@dataclass(frozen=True)
class Title:
    """What people call a thing, in both languages of the reports."""

    en: str
    ja: str


@dataclass(frozen=True)
class Zone:
    """One data centre, or one site outside the service. `name` is `region.zone`, as selectors write it."""

    name: str
    region: str
    title: Title
    subnet: IPv4Network


@dataclass(frozen=True)
class Region:
    name: str
    title: Title
    zones: tuple[Zone, ...]


@dataclass(frozen=True)
class Entrance:
    """One way into the service, as ports of a carrier's access link."""

    name: str
    http: int
    https: int


@dataclass(frozen=True)
class Carrier:
    """A mobile carrier: `share` of all people (the shares add up to 1), its access link and its mail node."""

    name: str
    title: Title
    share: float
    link: str
    mail: str
    entrances: tuple[Entrance, ...]


@dataclass(frozen=True)
class Volume:
    """A named volume and where the node sees it."""

    name: str
    target: str


@dataclass(frozen=True)
class ConfigFile:
    """A file that the node finds at `target` when it starts."""

    target: str
    content: str


@dataclass(frozen=True)
class Node:
    """One machine: where it stands, its address, what it runs.

    `health` is `port/path`: the node is healthy when a GET of it answers 200.
    """

    name: str
    role: str
    zone: str
    address: IPv4Address
    health: str
    image: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    volumes: tuple[Volume, ...] = ()
    configs: tuple[ConfigFile, ...] = ()
    depends_on: tuple[str, ...] = ()
    carrier: str | None = None

    @property
    def region(self) -> str:
        return self.zone.partition(".")[0]


@dataclass(frozen=True)
class Map:
    """The whole topology. `read` has checked every name inside."""

    name: str
    regions: Mapping[str, Region]
    carriers: Mapping[str, Carrier]
    nodes: Mapping[str, Node]

    @property
    def zones(self) -> Mapping[str, Zone]:
        return {zone.name: zone for region in self.regions.values() for zone in region.zones}

    def with_role(self, role: str) -> tuple[Node, ...]:
        return tuple(node for node in self if node.role == role)

    def in_zone(self, zone: str) -> tuple[Node, ...]:
        return tuple(node for node in self if node.zone == zone)

    def in_region(self, region: str) -> tuple[Node, ...]:
        return tuple(node for node in self if node.region == region)

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes.values())


def read(
    path: Path | str, overrides: Iterable[Path | str] = (), variables: Mapping[str, str] | None = None
) -> Map:
    """The topology that a compose file describes, with override files laid over it as Compose does.

    `variables` stand for `${NAME}` in the files; the process's own environment is not looked at. Raises
    BadInput, with the place, for anything missing, misspelt, doubled or contradictory.
    """
    project = read_project(Path(path), [Path(each) for each in overrides], variables or {})
    extension = project.file.need("x-topology", "the regions and carriers").as_fields()
    extension.only("regions", "carriers", extensions=True)
    regions = _regions(extension.need("regions", "the regions").as_fields())
    zones = {zone.name: zone for region in regions.values() for zone in region.zones}
    carriers = extension.get("carriers")
    names = list(carriers.as_fields("carriers").values) if carriers else []
    nodes = {name: _node(service, zones, names) for name, service in project.services.items()}
    return Map(project.name, regions, _carriers(carriers, nodes), nodes)


def _title(fields: Fields) -> Title:
    title = fields.need("title", "title: {en: …, ja: …}").as_fields("title: {en: …, ja: …}")
    title.only("en", "ja")
    en, ja = title.need("en", "the English title"), title.need("ja", "the Japanese title")
    return Title(en.as_text(), ja.as_text())


def _regions(written: Fields) -> dict[str, Region]:
    regions: dict[str, Region] = {}
    taken: list[Zone] = []
    for name, value in written:
        fields = value.as_fields("a region: title and zones")
        fields.only("title", "zones", extensions=True)
        zones = fields.need("zones", "the zones of the region").as_fields("zones by name")
        for zone_name, zone_value in zones:
            taken.append(_zone(name, zone_name, zone_value.as_fields("a zone: title and subnet"), taken))
        regions[name] = Region(name, _title(fields), tuple(zone for zone in taken if zone.region == name))
    return regions


def _zone(region: str, name: str, fields: Fields, taken: Iterable[Zone]) -> Zone:
    fields.only("title", "subnet", extensions=True)
    written = fields.need("subnet", "the addresses of the zone")
    try:
        subnet = IPv4Network(written.as_text("a subnet such as 10.77.1.0/24"))
    except ValueError:
        raise written.bad("a subnet such as 10.77.1.0/24") from None
    for other in taken:
        if other.subnet.overlaps(subnet):
            raise written.bad(f"addresses of its own; {other.name} has {other.subnet}")
    return Zone(f"{region}.{name}", region, _title(fields), subnet)


_LABELS: Final = tuple(f"topology.{name}" for name in ("role", "zone", "health", "enclosure", "carrier"))
_HEALTH: Final = re.compile(r"[1-9][0-9]{0,4}/\S*")


def _node(service: Service, zones: Mapping[str, Zone], carriers: Iterable[str]) -> Node:
    labels = service.labels
    for key in labels.values:
        if key.startswith("topology.") and key not in _LABELS:
            raise labels.bad_key(key, one_of(_LABELS), nearest(key, _LABELS))
    role = _label(service, "role", "what it is")
    health = _label(service, "health", "port/path, where it says that it is healthy")
    if not _HEALTH.fullmatch(health.as_text("port/path")):
        raise health.bad("port/path, such as 8000/health")
    zone = zones[_label(service, "zone", "the zone where it stands").as_word(zones)]
    if service.address not in zone.subnet:
        expected = f"an address of {zone.name}: {zone.subnet}"
        raise BadInput(service.address_place, str(service.address), expected)
    carrier = labels.get("topology.carrier")
    return Node(
        name=service.name,
        role=role.as_text("a role"),
        zone=zone.name,
        address=service.address,
        health=health.as_text(),
        image=service.image,
        command=service.command,
        environment=service.environment,
        volumes=tuple(Volume(mount.source, mount.target) for mount in service.volumes),
        configs=tuple(ConfigFile(mount.target, mount.source) for mount in service.configs),
        depends_on=service.depends_on,
        carrier=carrier.as_word(carriers) if carrier else None,
    )


def _label(service: Service, name: str, expected: str) -> Value:
    value = service.labels.get(f"topology.{name}")
    if value is None:
        raise BadInput(service.place, f"{service.name} without the label topology.{name}", expected)
    return value


def _carriers(written: Value | None, nodes: Mapping[str, Node]) -> dict[str, Carrier]:
    carriers: dict[str, Carrier] = {}
    for name, value in written.as_fields("carriers by name") if written else ():
        fields = value.as_fields("a carrier")
        fields.only("title", "share", "link", "mail", "entrances", extensions=True)
        carriers[name] = Carrier(
            name=name,
            title=_title(fields),
            share=_share(fields.need("share", "its share of all people")),
            link=_node_of(name, fields.need("link", "the node that is its access link"), nodes),
            mail=_node_of(name, fields.need("mail", "the node that is its mail exchanger"), nodes),
            entrances=_entrances(fields.need("entrances", "the ways into the service")),
        )
    total = sum(carrier.share for carrier in carriers.values())
    return {name: replace(carrier, share=carrier.share / total) for name, carrier in carriers.items()}


def _share(value: Value) -> float:
    share = value.as_number("a share above 0")
    if share <= 0:
        raise value.bad("a share above 0")
    return share


def _node_of(carrier: str, value: Value, nodes: Mapping[str, Node]) -> str:
    name = value.as_text("a node")
    if name not in nodes:
        raise value.bad("a node", nearest(name, nodes))
    if nodes[name].carrier != carrier:
        raise value.bad(f"a node with the label topology.carrier: {carrier}")
    return name


def _entrances(value: Value) -> tuple[Entrance, ...]:
    expected = "entrances: {…: {http: port, https: port}}"
    entrances = tuple(
        Entrance(name, _port(each.as_fields(expected), "http"), _port(each.as_fields(expected), "https"))
        for name, each in value.as_fields(expected)
    )
    if not entrances:
        raise value.bad(expected)
    return entrances


def _port(fields: Fields, scheme: str) -> int:
    fields.only("http", "https")
    value = fields.need(scheme, f"the port for {scheme}")
    port = value.as_whole("a port", least=1)
    if port > 65535:
        raise value.bad("a port of at most 65535")
    return port
