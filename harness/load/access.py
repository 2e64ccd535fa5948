"""How a carrier's people reach the service and their mail: addresses and ports, taken from the topology."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

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
class Access:
    """One carrier: its share of the people, its entrances, and the HTTP address and port of its mail node.

    `resolvers`: the address and port of each of its resolver's caches; none: its people know all entrances.
    """

    carrier: str
    share: float
    entrances: tuple[Entrance, ...]
    mail: tuple[str, int]
    resolvers: tuple[tuple[str, int], ...] = ()

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> Access:
        """From what `dataclasses.asdict` made of one."""
        host, port = data["mail"]
        entrances = tuple(Entrance(**entrance) for entrance in data["entrances"])
        resolvers = tuple((str(at), int(number)) for at, number in data["resolvers"])
        return cls(data["carrier"], float(data["share"]), entrances, (host, int(port)), resolvers)


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
        )
        for carrier in topology.carriers.values()
    )


def resolvers(node: Node) -> tuple[tuple[str, int], ...]:
    """Where each cache of a resolver node is asked."""
    count = int(node.environment.get("RESOLVERS", "10"))
    return tuple((str(node.address), FIRST_RESOLVER_PORT + number) for number in range(count))


def _leads_to(topology: Map, entrance: topology_map.Entrance) -> str:
    return str(topology.nodes[entrance.to].address) if entrance.to else ""
