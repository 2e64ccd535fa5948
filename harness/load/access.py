"""How a carrier's people reach the service and their mail: addresses and ports, taken from the topology."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from harness import blackout
from harness.load.network import Block, Network
from topology import map as topology_map
from topology.map import Map, Node

#: Where carrier mail nodes and the other programs of ours serve HTTP.
HTTP_PORT: Final = 8000
#: Of the caches of a resolver node, which follow one another.
FIRST_RESOLVER_PORT: Final = 5301


@dataclass(frozen=True, slots=True)
class Entrance:
    """One way into the service through a carrier's link: an address and its two ports.

    `to`: the address of the balancer that it leads to, as names are answered with; empty: not told.
    """

    name: str
    host: str
    http: int
    https: int
    to: str = ""


@dataclass(frozen=True, slots=True)
class Hosted:
    """Hosted mail: its share of the companies, and the address and port of each mailbox server, by its firewall."""

    name: str
    share: float
    mailboxes: tuple[tuple[str, int], ...]

    @property
    def domain(self) -> str:
        return f"{self.name}.example"

    def mailbox(self, person: int) -> int:
        """Which of the mailbox servers has the mailbox of this person."""
        return person % len(self.mailboxes)

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> Hosted:
        """From what `dataclasses.asdict` made of one."""
        mailboxes = tuple((str(host), int(port)) for host, port in data["mailboxes"])
        return cls(data["name"], float(data["share"]), mailboxes)


@dataclass(frozen=True, slots=True)
class Access:
    """One carrier: its share of the people, its entrances, and the HTTP address and port of its mail node.

    `resolvers`: the address and port of each of its resolver's caches; none: its people know all entrances. `network`:
    what its handsets attach to first, and ask for names instead; none: they are always attached.
    """

    carrier: str
    share: float
    entrances: tuple[Entrance, ...]
    mail: tuple[str, int]
    resolvers: tuple[tuple[str, int], ...] = ()
    network: Network | None = None

    @property
    def blocks(self) -> tuple[Block, ...]:
        return self.network.blocks if self.network is not None else ()

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> Access:
        """From what `dataclasses.asdict` made of one."""
        host, port = data["mail"]
        entrances = tuple(Entrance(**entrance) for entrance in data["entrances"])
        resolvers = tuple((str(at), int(number)) for at, number in data["resolvers"])
        network = Network.parse(data["network"]) if data["network"] is not None else None
        return cls(data["carrier"], float(data["share"]), entrances, (host, int(port)), resolvers, network)


def of(topology: Map) -> tuple[Access, ...]:
    """Every carrier's access. All by address but the service itself, which people know by its name alone."""
    return tuple(
        Access(
            carrier.name,
            carrier.share,
            tuple(
                Entrance(
                    e.name, str(topology.nodes[carrier.link].address), e.http, e.https, _leads_to(topology, e)
                )
                for e in carrier.entrances
            ),
            (str(topology.nodes[carrier.mail].address), HTTP_PORT),
            resolvers(topology.nodes[carrier.resolver]) if carrier.resolver else (),
            Network.of(topology, carrier.access, HTTP_PORT) if carrier.access else None,
        )
        for carrier in topology.carriers.values()
    )


def radio(topology: Map) -> tuple[str, int] | None:
    """Where the base stations tell at which places there is a signal; None: there is one everywhere."""
    node = blackout.stations(topology)
    return (str(node.address), HTTP_PORT) if node is not None else None


def hosted(topology: Map) -> tuple[Hosted, ...]:
    """All hosted mail that stands."""
    return tuple(
        Hosted(
            host.name,
            host.share,
            tuple((str(topology.nodes[host.firewall].address), port) for port in host.mailboxes.values()),
        )
        for host in topology.hosts.values()
    )


def resolvers(node: Node) -> tuple[tuple[str, int], ...]:
    """Where each cache of a resolver node is asked."""
    count = int(node.environment.get("RESOLVERS", "10"))
    return tuple((str(node.address), FIRST_RESOLVER_PORT + number) for number in range(count))


def _leads_to(topology: Map, entrance: topology_map.Entrance) -> str:
    return str(topology.nodes[entrance.to].address) if entrance.to else ""
