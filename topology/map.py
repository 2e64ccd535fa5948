"""What stands where: the compose file as plain data.

Everything here is frozen and pure. `read` turns a compose file (and override files laid over it, as Compose does)
into a `Map`; nothing else in the project reads compose files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network


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
    """The whole topology. Raises `KeyError` for names that are not in it; `read` has checked every name inside."""

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
