"""What stands where: the compose file as plain data.

Everything here is frozen and pure. `read` turns a compose file (and override files laid over it, as Compose
does) into a `Map`; nothing else in the project reads compose files.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from topology.confinement import Confinement
from topology.document import BadInput, Place, nearest, one_of, quoted


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
    """`outside`: it is no part of the service, so no replica is without it."""

    name: str
    title: Title
    zones: tuple[Zone, ...]
    outside: bool = False


@dataclass(frozen=True)
class Entrance:
    """One way into the service, as ports of a carrier's access link. `to` is the balancer that it leads to, if told."""

    name: str
    http: int
    https: int
    to: str = ""


@dataclass(frozen=True)
class Carrier:
    """A mobile carrier: `share` of all people (the shares add up to 1), its access link and its mail node.

    `resolver` is the node that its people ask for addresses; none: they know them. `access` is the network that their
    handsets attach to before anything else; none: they are always attached.
    """

    name: str
    title: Title
    share: float
    link: str
    mail: str
    entrances: tuple[Entrance, ...]
    resolver: str | None = None
    access: AccessNetwork | None = None


@dataclass(frozen=True)
class AccessNetwork:
    """What a carrier's handsets attach to: `blocks` that let them in, and the node that says which block is whose."""

    steering: str
    blocks: tuple[str, ...]


@dataclass(frozen=True)
class MailHost:
    """A hosting provider of mail: `share` of the companies read theirs there, and not at their people's carriers.

    All comes in through its `firewall`; `mailboxes` are its mailbox servers, each with the port that leads to it there.
    """

    name: str
    title: Title
    share: float
    firewall: str
    mailboxes: Mapping[str, int]


@dataclass(frozen=True)
class Link:
    """The wide-area link between two regions: its node, and how long a round trip through it takes."""

    between: tuple[str, str]
    node: str
    round_trip_s: float


@dataclass(frozen=True)
class Enclosure:
    """A storage enclosure: what the volumes of its nodes are on, and fail with. It stands in one zone, as they do."""

    name: str
    title: Title
    zone: str

    @property
    def region(self) -> str:
        return self.zone.partition(".")[0]


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

    `health` is `port/path`: the node is healthy when a GET of it answers 200. All its volumes are on `enclosure`; none:
    on a disk that it has for itself. `later`: it is not there at first, and only a runbook starts it.
    `confinement`: what it may do where it is a container.
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
    enclosure: str | None = None
    later: bool = False
    confinement: Confinement = field(default_factory=Confinement)

    @property
    def region(self) -> str:
        return self.zone.partition(".")[0]


@dataclass(frozen=True)
class Map:
    """The whole topology. `read` has checked every name inside.

    `systems` are parts of the world that stand only where they are asked for, whether they were or not.
    """

    name: str
    regions: Mapping[str, Region]
    carriers: Mapping[str, Carrier]
    nodes: Mapping[str, Node]
    links: tuple[Link, ...] = ()
    enclosures: Mapping[str, Enclosure] = field(default_factory=dict)
    systems: tuple[str, ...] = field(default=(), compare=False)
    hosts: Mapping[str, MailHost] = field(default_factory=dict)

    @property
    def zones(self) -> Mapping[str, Zone]:
        return {zone.name: zone for region in self.regions.values() for zone in region.zones}

    @property
    def service_regions(self) -> tuple[str, ...]:
        """Where the service can stand, in the file's order."""
        return tuple(region.name for region in self.regions.values() if not region.outside)

    def only(self, regions: Iterable[str]) -> Map:
        """The same without the service's other regions.

        What leads to a node that is left out goes with it: entrances, links, and its name wherever a list in an
        environment has it. Raises BadInput for a region that the service does not have, and for none at all.
        """
        wanted = tuple(regions)
        for name in wanted:
            if name not in self.service_regions:
                near = nearest(name, self.service_regions)
                raise BadInput(Place("regions"), quoted(name), one_of(self.service_regions), near)
        if not wanted:
            raise BadInput(Place("regions"), "none", f"at least {one_of(self.service_regions)}")
        kept = {name: each for name, each in self.regions.items() if each.outside or name in wanted}
        links = tuple(link for link in self.links if set(link.between) <= set(kept))
        gone = {link.node for link in self.links if link not in links}
        gone |= {node.name for node in self if node.region not in kept}
        return replace(
            self,
            regions=kept,
            carriers={name: _carrier_without(gone, each) for name, each in self.carriers.items()},
            nodes={node.name: _node_without(gone, node) for node in self if node.name not in gone},
            links=links,
            enclosures={name: each for name, each in self.enclosures.items() if each.region in kept},
        )

    def with_role(self, role: str) -> tuple[Node, ...]:
        return tuple(node for node in self if node.role == role)

    def in_zone(self, zone: str) -> tuple[Node, ...]:
        return tuple(node for node in self if node.zone == zone)

    def in_region(self, region: str) -> tuple[Node, ...]:
        return tuple(node for node in self if node.region == region)

    def on_enclosure(self, enclosure: str) -> tuple[Node, ...]:
        return tuple(node for node in self if node.enclosure == enclosure)

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes.values())


def asked_for(systems: Iterable[str]) -> Mapping[str, str]:
    """The variable by which `read` has these systems stand: Compose's own for profiles; none for no system."""
    names = ",".join(systems)
    return {"COMPOSE_PROFILES": names} if names else {}


def known(systems: Iterable[str], topology: Map) -> None:
    """Raises BadInput for a system that a topology has not."""
    for name in systems:
        if name not in topology.systems:
            expected = one_of(topology.systems) if topology.systems else "no system: it has none"
            raise BadInput(Place("systems"), quoted(name), expected, nearest(name, topology.systems))


def read(
    path: Path | str, overrides: Iterable[Path | str] = (), variables: Mapping[str, str] | None = None
) -> Map:
    """The topology that a compose file describes, with override files laid over it as Compose does.

    `variables` stand for `${NAME}` in the files; the process's own environment is not looked at. Raises
    BadInput, with the place, for anything missing, misspelt, doubled or contradictory.
    """
    from topology.map_file import read_map  # which is made of what is defined here

    return read_map(Path(path), [Path(each) for each in overrides], variables or {})


def _carrier_without(gone: Collection[str], carrier: Carrier) -> Carrier:
    return replace(carrier, entrances=tuple(each for each in carrier.entrances if each.to not in gone))


def _node_without(gone: Collection[str], node: Node) -> Node:
    environment = {name: _list_without(gone, value) for name, value in node.environment.items()}
    depends_on = tuple(name for name in node.depends_on if name not in gone)
    return replace(node, environment=environment, depends_on=depends_on)


def _list_without(gone: Collection[str], value: str) -> str:
    """A comma-separated list without the entries `name` and `name:port` of these nodes; other text as it is."""
    entries = value.split(",")
    if not any(_host(entry) in gone for entry in entries):
        return value
    return ",".join(entry for entry in entries if _host(entry) not in gone)


def _host(entry: str) -> str:
    return entry.strip().partition(":")[0]
