"""The wide-area links between regions, as long as the real ones: half of the round trip on each way.

The links are Toxiproxy nodes; what they delay is gone whenever such a node was started anew, so whoever starts one
puts it on again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from harness.faults import Stage
from harness.toxiproxy import Toxic, Toxiproxy
from topology.map import Link

API_PORT: Final = 8474
STREAMS: Final = ("upstream", "downstream")
#: Not a name of the faults': easing a link leaves its length as it is.
NAME: Final = "round-trip"


def lengthen(at: Stage, nodes: Iterable[str] | None = None) -> list[Link]:
    """Give the links (those at these nodes, or all) their length. Gives the links that it was done to.

    Raises ToxiproxyError.
    """
    wanted = None if nodes is None else set(nodes)
    links = [link for link in at.topology.links if wanted is None or link.node in wanted]
    with at.runtime.inside(at.observer):
        for link in links:
            proxy = Toxiproxy(str(at.topology.nodes[link.node].address), API_PORT)
            for name in proxy.proxies():
                for toxic in toxics(link):
                    proxy.add(name, toxic)
    return links


def toxics(link: Link) -> list[Toxic]:
    half_ms = round(link.round_trip_s * 1000 / 2)
    return [Toxic(f"{NAME}-{stream}", "latency", stream, 1.0, {"latency": half_ms}) for stream in STREAMS]
