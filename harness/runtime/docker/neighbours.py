"""Which node knows which other's hardware address: the network of a run in containers, and how it is cut.

All nodes stand on one bridge, and each has its neighbours' addresses written down. Nothing is ever asked for, so what
is sent to a dead node vanishes instead of coming back as unreachable. A cut from one node to another writes, at the
first, an address that nobody has: from that instant its packets vanish too, those of connections that stand as well.
"""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address
from itertools import product
from typing import Final

from harness.runtime.docker import netlink
from harness.runtime.namespaces import network
from topology.map import Map, Node

NOBODY: Final = bytes.fromhex("020000000000")


def hardware(node: Node) -> str:
    """The same that engines derive from an address by themselves."""
    return "02:42:" + ":".join(f"{byte:02x}" for byte in node.address.packed)


class Neighbours:
    """The nodes' networks, by the descriptors of their namespaces. Safe for use from several threads."""

    def __init__(self, topology: Map, closes: bool = True) -> None:
        """`closes`: whether a way out of a node's network is closed, where there is one."""
        self._closes = closes
        self._hardware = {
            node.address: bytes.fromhex(hardware(node).replace(":", "")) for node in topology.nodes.values()
        }
        self._cuts: Counter[tuple[IPv4Address, IPv4Address]] = Counter()
        self._namespaces: dict[IPv4Address, int] = {}
        self._lock = threading.Lock()

    def plug(self, node: Node, namespace: int) -> None:
        """The node's network is that namespace from now on, and knows all its neighbours, cuts included.

        Raises OSError, LookupError where that namespace is not the node's.
        """
        with network(namespace):
            if (found := netlink.address()) != node.address:
                raise LookupError(
                    f"the network of the process that should be {node.name} has the address {found}"
                )
            if self._closes:
                netlink.close_the_way_out()
            own = netlink.hardware()
        with self._lock:
            self._namespaces[node.address] = namespace
            self._write(node.address, self._hardware)
            if own != self._hardware[node.address]:
                self._hardware[node.address] = own
                for other in self._namespaces:
                    if other != node.address:
                        self._write(other, [node.address])

    def unplug(self, node: Node) -> None:
        """Nothing reaches it and nothing leaves it, from this instant."""
        with self._lock:
            namespace = self._namespaces.pop(node.address, None)
            if namespace is None:
                return
            with network(namespace):
                netlink.down()

    def cut(self, sources: Sequence[Node], targets: Sequence[Node]) -> None:
        """From now on no packet of a source reaches a target. Cuts may overlap: each is joined by itself."""
        self._change(sources, targets, 1)

    def join(self, sources: Sequence[Node], targets: Sequence[Node]) -> None:
        """Take a `cut` of the same nodes back."""
        self._change(sources, targets, -1)

    def _change(self, sources: Sequence[Node], targets: Sequence[Node], by: int) -> None:
        changed: dict[IPv4Address, list[IPv4Address]] = defaultdict(list)
        with self._lock:
            for source, target in product(sources, targets):
                pair = source.address, target.address
                before, self._cuts[pair] = self._cuts[pair], max(0, self._cuts[pair] + by)
                if bool(before) != bool(self._cuts[pair]):
                    changed[source.address].append(target.address)
            for source_address, those in changed.items():
                if source_address in self._namespaces:
                    self._write(source_address, those)

    def _write(self, at: IPv4Address, those: Iterable[IPv4Address]) -> None:
        table = {
            each: NOBODY if self._cuts[at, each] else self._hardware[each] for each in those if each != at
        }
        with network(self._namespaces[at]):
            netlink.write_down(table)
