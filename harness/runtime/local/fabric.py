"""The network of a local run: a bridge per zone, a router between and within zones.

    node ─ eth0 ──veth── br-zone ─┐
    node ─ eth0 ──veth── br-zone ─┴─ the fabric's namespace, which routes

A node has only its own address (/32) and sends everything to its zone's router, also what is for its neighbours.
So a cut can be made between any two nodes, one way or both, by a rule in one place, and it is silent, as a cut is.
Hardware addresses are written down, never asked for: what is sent to a dead node vanishes instead of coming back.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from typing import Any, Final

from pyroute2 import IPRoute
from pyroute2.netlink.rtnl.fibmsg import FR_ACT_BLACKHOLE

from harness.runtime.namespaces import enter_network, network, new_network
from topology.map import Map, Node, Zone

#: Before the main table (32766), after the local one (0), which is for the router itself.
CUT_PRIORITY: Final = 100
SCOPE_LINK: Final = 253
ROUTER_HARDWARE: Final = "02:00:00:00:00:01"


def _hardware(node: Node) -> str:
    return "02:01:" + ":".join(f"{byte:02x}" for byte in node.address.packed)


class Fabric:
    """Networks of all nodes. Safe for use from several threads.

    One thread lives in the fabric's namespace and does everything there: a netlink socket belongs to the namespace
    of the thread that opened it.
    """

    def __init__(self, topology: Map) -> None:
        """Make it all; every link is still down. Raises OSError where namespaces are not allowed."""
        self._namespace = new_network()
        self._nodes: dict[str, int] = {}
        self._ports: dict[str, int] = {}
        self._cuts: Counter[tuple[str, str]] = Counter()
        self._subnets = [zone.subnet for zone in topology.zones.values()]
        self._thread = ThreadPoolExecutor(1, "fabric", enter_network, (self._namespace,))
        self._thread.submit(self._build, topology).result()

    def _build(self, topology: Map) -> None:
        self._routes: Any = IPRoute()
        Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
        Path("/proc/sys/net/ipv4/conf/all/send_redirects").write_text("0")
        Path("/proc/sys/net/ipv4/conf/default/send_redirects").write_text("0")
        zones = topology.zones
        bridges = {name: self._bridge(zone, number) for number, (name, zone) in enumerate(zones.items())}
        for number, node in enumerate(topology):
            self._connect(node, number, zones[node.zone], bridges[node.zone])

    def _bridge(self, zone: Zone, number: int) -> int:
        name = f"br{number}"
        self._routes.link("add", ifname=name, kind="bridge", address=ROUTER_HARDWARE)
        index: int = self._routes.link_lookup(ifname=name)[0]
        router = zone.subnet.network_address + 1
        self._routes.addr("add", index=index, address=str(router), prefixlen=zone.subnet.prefixlen)
        self._routes.link("set", index=index, state="up")
        return index

    def _connect(self, node: Node, number: int, zone: Zone, bridge: int) -> None:
        namespace = new_network()
        self._nodes[node.name] = namespace
        name = f"v{number}"
        peer = {"ifname": "eth0", "net_ns_fd": namespace, "address": _hardware(node)}
        self._routes.link("add", ifname=name, kind="veth", peer=peer)
        port: int = self._routes.link_lookup(ifname=name)[0]
        self._ports[node.name] = port
        self._routes.link("set", index=port, master=bridge)
        self._routes.neigh(
            "replace", dst=str(node.address), lladdr=_hardware(node), ifindex=bridge, state="permanent"
        )
        router = str(zone.subnet.network_address + 1)
        with network(namespace), IPRoute() as routes:
            inside = routes.link_lookup(ifname="eth0")[0]
            routes.link("set", index=1, state="up")
            routes.link("set", index=inside, state="up")
            routes.addr("add", index=inside, address=str(node.address), prefixlen=32)
            routes.neigh("replace", dst=router, lladdr=ROUTER_HARDWARE, ifindex=inside, state="permanent")
            routes.route("add", dst=f"{router}/32", oif=inside, scope=SCOPE_LINK)
            # No default route: nothing outside the topology can be reached from inside it.
            for subnet in self._subnets:
                routes.route("add", dst=str(subnet), gateway=router)
            for name, value in node.confinement.sysctls.items():
                Path("/proc/sys", *name.split(".")).write_text(value)

    def namespace(self, node: Node) -> int:
        return self._nodes[node.name]

    def plug(self, node: Node) -> None:
        """The node's network cable is in."""
        self._thread.submit(self._set_port, node, "up").result()

    def unplug(self, node: Node) -> None:
        """Nothing reaches it and nothing leaves it, from this instant."""
        self._thread.submit(self._set_port, node, "down").result()

    def _set_port(self, node: Node, state: str) -> None:
        self._routes.link("set", index=self._ports[node.name], state=state)

    def cut(self, sources: Sequence[Node], targets: Sequence[Node]) -> None:
        """From now on no packet of a source reaches a target. Cuts may overlap: each is joined by itself."""
        self._thread.submit(self._cut, sources, targets).result()

    def _cut(self, sources: Sequence[Node], targets: Sequence[Node]) -> None:
        for source, target in product(sources, targets):
            self._cuts[source.name, target.name] += 1
            if self._cuts[source.name, target.name] == 1:
                self._rule("add", source, target)

    def join(self, sources: Sequence[Node], targets: Sequence[Node]) -> None:
        """Take a `cut` of the same nodes back."""
        self._thread.submit(self._join, sources, targets).result()

    def _join(self, sources: Sequence[Node], targets: Sequence[Node]) -> None:
        for source, target in product(sources, targets):
            if self._cuts[source.name, target.name] == 1:
                self._rule("del", source, target)
            self._cuts[source.name, target.name] = max(0, self._cuts[source.name, target.name] - 1)

    def _rule(self, what: str, source: Node, target: Node) -> None:
        self._routes.rule(
            what,
            src=f"{source.address}/32",
            dst=f"{target.address}/32",
            action=FR_ACT_BLACKHOLE,
            priority=CUT_PRIORITY,
        )

    def close(self) -> None:
        self._thread.submit(self._routes.close).result()
        self._thread.shutdown()
        for namespace in (self._namespace, *self._nodes.values()):
            os.close(namespace)
