"""A topology of three nodes, for what needs real nodes but no service."""

from __future__ import annotations

import json
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network

from topology.confinement import Confinement
from topology.map import Carrier, ConfigFile, Enclosure, Entrance, Map, Node, Region, Title, Volume, Zone

#: Answers every request with its own name; also through what its volume holds. Ends when it is asked to.
PROGRAM = """
import http.server, os, signal
signal.signal(signal.SIGTERM, lambda *_: os._exit(print("goodbye", flush=True) or 0))
class Here(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body = os.environ["NODE"].encode()
        self.send_response(200); self.send_header("Content-Length", str(len(body))); self.end_headers()
        self.wfile.write(body)
    def log_message(self, *a): pass
class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128
print("serving", flush=True)
Server(("", 8000), Here).serve_forever()
"""


#: As in our own compose file.
CONFINED = Confinement(
    "1000:1000",
    True,
    ("ALL",),
    security_opt=("no-new-privileges:true",),
    tmpfs=("/mnt/tmp:exec",),
    sysctls={"net.ipv4.tcp_syn_retries": "1"},
)


def _node(name: str, zone: str, address: str, **more: object) -> Node:
    return Node(
        name=name,
        role="web",
        zone=zone,
        address=IPv4Address(address),
        health="8000/",
        image="safety-confirmation/node",
        command=("python", "-c", PROGRAM),
        environment={"COLOUR": "blue"},
        volumes=(Volume(name, "/mnt/data"),),
        confinement=CONFINED,
        **more,  # type: ignore[arg-type]
    )


def small_map() -> Map:
    """Two zones: a with two nodes on one storage enclosure, b with one that has a disk for itself."""
    zones = tuple(
        Zone(f"here.{letter}", "here", Title(letter, letter), IPv4Network(f"10.78.{number}.0/24"))
        for number, letter in enumerate("ab", 1)
    )
    nodes = (
        _node(
            "a1",
            "here.a",
            "10.78.1.11",
            enclosure="storage",
            configs=(ConfigFile("/mnt/config/colours", "rouge et ブルー"),),
        ),
        _node("a2", "here.a", "10.78.1.12", enclosure="storage"),
        _node("b1", "here.b", "10.78.2.11"),
    )
    region = Region("here", Title("here", "ここ"), zones)
    storage = Enclosure("storage", Title("storage", "ストレージ"), "here.a")
    return Map(
        "small",
        {"here": region},
        {},
        {node.name: node for node in nodes},
        enclosures={"storage": storage},
    )


def with_link() -> Map:
    """The small map, and a carrier whose access link leads to b1."""
    small = small_map()
    proxies = [{"name": "b-http", "listen": "0.0.0.0:8001", "upstream": "b1:8000", "enabled": True}]
    link = replace(
        small.nodes["b1"],
        name="link",
        role="access-link",
        address=IPv4Address("10.78.2.12"),
        health="8474/version",
        image="ghcr.io/shopify/toxiproxy:2.12.0",
        command=("-host=0.0.0.0", "-config=/mnt/config/entrances.json"),
        volumes=(),
        configs=(ConfigFile("/mnt/config/entrances.json", json.dumps(proxies)),),
        carrier="one",
    )
    carrier = Carrier("one", Title("one", "一"), 1.0, "link", "b1", (Entrance("b", 8001, 8001, "b1"),))
    return replace(small, nodes={**small.nodes, "link": link}, carriers={"one": carrier})


def with_mail() -> Map:
    """The small map with its link, and the mail of its carrier."""
    linked = with_link()
    mail = replace(
        linked.nodes["b1"],
        name="mail",
        role="carrier-mail",
        address=IPv4Address("10.78.2.15"),
        health="8000/health",
        command=("python", "-m", "topology", "carrier-mail"),
        environment={"MAIL_DOMAIN": "one.example"},
        volumes=(Volume("mail", "/mnt/data"),),
        carrier="one",
    )
    carrier = replace(linked.carriers["one"], mail="mail")
    return replace(linked, nodes={**linked.nodes, "mail": mail}, carriers={"one": carrier})


def two_regions() -> Map:
    """Regions here (a1, a2) and there (b1), and outside of them a status page and somebody who looks."""
    small = small_map()
    zones = [zone for region in small.regions.values() for zone in region.zones]
    here, far = zones
    there = replace(far, name="there.b", region="there")
    world = Zone("world.outside", "world", Title("outside", "外"), IPv4Network("10.78.3.0/24"))
    nodes = {name: replace(node, volumes=(), enclosure=None) for name, node in small.nodes.items()}
    nodes["b1"] = replace(small.nodes["b1"], zone="there.b")
    nodes["observers"] = replace(
        nodes["a1"], name="observers", role="observers", zone=world.name, address=IPv4Address("10.78.3.11")
    )
    nodes["status-page"] = replace(
        nodes["a1"],
        name="status-page",
        role="status-page",
        zone=world.name,
        address=IPv4Address("10.78.3.12"),
        health="8000/health",
        command=("python", "-m", "topology", "status-page"),
        volumes=(Volume("status-page", "/mnt/data"),),
    )
    regions = {
        "here": Region("here", Title("here", "ここ"), (here,)),
        "there": Region("there", Title("there", "そこ"), (there,)),
        "world": Region("world", Title("world", "外"), (world,), outside=True),
    }
    return Map("two regions", regions, {}, nodes)


def with_names() -> Map:
    """The small map with its link, a name server for it, and its carrier's resolver of ten caches."""
    linked = with_link()
    server = replace(
        linked.nodes["b1"],
        name="dns",
        role="dns",
        address=IPv4Address("10.78.2.13"),
        health="8000/health",
        command=("python", "-m", "topology", "dns"),
        environment={"DOMAIN": "anpi.example", "TTL_S": "10", "REGIONS": "here=b1"},
        volumes=(Volume("dns", "/mnt/data"),),
    )
    resolver = replace(
        server,
        name="resolver",
        role="resolver",
        address=IPv4Address("10.78.2.14"),
        command=("python", "-m", "topology", "resolver"),
        environment={"DNS_SERVER": "dns:53", "RESOLVERS": "10", "KEEPING": "0.1", "KEEPS_S": "30"},
        volumes=(),
        carrier="one",
    )
    nodes = {**linked.nodes, "dns": server, "resolver": resolver}
    return replace(
        linked, nodes=nodes, carriers={"one": replace(linked.carriers["one"], resolver="resolver")}
    )
