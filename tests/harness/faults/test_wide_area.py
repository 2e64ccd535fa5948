"""A wide-area link is as long as it is said to be, can be made worse, and a cut between regions cuts it."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import pytest

from harness import wide_area
from harness.faults import Stage
from harness.faults.cut import Cut
from harness.faults.degrade import TLS_QUESTION, Degrade
from harness.faults.looking import answering, connect
from harness.faults.lose import Lose
from harness.rundir import RunDir
from harness.runtime.local import LocalRuntime
from harness.targets import Domains
from tests.small import small_map
from topology.map import ConfigFile, Link, Map, Node, Region, Title, Zone

pytestmark = [pytest.mark.fabric, pytest.mark.takes(12)]

#: Answers what asks PostgreSQL for TLS, and tells who greets too long that it is so, as PostgreSQL would.
DATABASE = """
import socketserver, struct
class Session(socketserver.BaseRequestHandler):
    def handle(self):
        head = self.request.recv(4, 0x100)
        if len(head) == 4:
            wanted = struct.unpack("!I", head)[0] - 4
            while wanted > 0:
                wanted -= len(self.request.recv(min(wanted, 65536)) or b"x" * wanted)
            self.request.sendall(b"N")
class Server(socketserver.ThreadingTCPServer):
    request_queue_size = 128
    allow_reuse_address = daemon_threads = True
import threading, http.server
class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self): self.send_response(200); self.end_headers()
    def log_message(self, *a): pass
threading.Thread(target=http.server.ThreadingHTTPServer(("", 8000), Health).serve_forever).start()
Server(("", 5432), Session).serve_forever()
"""
ROUND_TRIP_S = 0.08


def two_regions() -> Map:
    """Here with two nodes, afar with a database, and the link between them."""
    small = small_map()
    zone = Zone("afar.c", "afar", Title("c", "c"), IPv4Network("10.78.3.0/24"))
    wan = Zone("between.w", "between", Title("w", "w"), IPv4Network("10.78.4.0/24"))
    regions = {
        **small.regions,
        "afar": Region("afar", Title("afar", "遠"), (zone,)),
        "between": Region("between", Title("between", "間"), (wan,), outside=True),
    }
    there = replace(
        small.nodes["b1"],
        name="far-1",
        role="database",
        zone="afar.c",
        address=IPv4Address("10.78.3.11"),
        command=("python", "-c", DATABASE),
        volumes=(),
    )
    proxies = '[{"name": "far-1", "listen": "0.0.0.0:5431", "upstream": "far-1:5432", "enabled": true}]'
    link = replace(
        there,
        name="wan",
        role="wide-area-link",
        zone="between.w",
        address=IPv4Address("10.78.4.11"),
        health="8474/version",
        image="ghcr.io/shopify/toxiproxy:2.12.0",
        command=("-host=0.0.0.0", "-config=/mnt/config/databases.json"),
        configs=(ConfigFile("/mnt/config/databases.json", proxies),),
    )
    nodes = {**small.nodes, "far-1": there, "wan": link}
    return replace(small, regions=regions, nodes=nodes, links=(Link(("here", "afar"), "wan", ROUND_TRIP_S),))


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    topology = two_regions()
    runtime = LocalRuntime()
    folder: Path = tmp_path_factory.mktemp("wide-area")
    runtime.prepare(topology, RunDir.create(folder / "runs", "wide-area", 1))
    try:
        for node in topology:
            runtime.start(node)
        stage = Stage(runtime, topology, topology.nodes["a1"])
        assert answering(stage, list(topology), 30).proven
        assert [link.node for link in wide_area.lengthen(stage)] == ["wan"]
        yield stage
    finally:
        runtime.close()


def round_trip_s(stage: Stage, source: Node) -> float:
    took = []
    for _ in range(5):
        with connect(stage, source, stage.topology.nodes["wan"], 5431, 5) as connection:
            began_s = time.monotonic()
            connection.sendall(TLS_QUESTION)
            assert connection.recv(1) == b"N"
            took.append(time.monotonic() - began_s)
    return statistics.median(took)


def test_it_is_as_long_as_it_is_said_to_be(stage: Stage) -> None:
    assert ROUND_TRIP_S <= round_trip_s(stage, stage.topology.nodes["a2"]) < ROUND_TRIP_S + 0.1


@pytest.mark.parametrize(
    "effects", [{"latency": 0.03}, {"latency": 600.0}, {"bandwidth": 5.0}, {"refused": 0.5}]
)
def test_what_makes_it_worse_is_proven_only_while_it_lasts(stage: Stage, effects: dict[str, float]) -> None:
    made = Degrade(stage.topology.links[0], effects, stage.topology.nodes["wan"])
    assert not made.verify(stage).proven
    made.inject(stage)
    try:
        effect = made.verify(stage)
    finally:
        made.undo(stage)
    assert effect.proven, effect.proof
    assert made.verify_undone(stage).proven
    assert round_trip_s(stage, stage.topology.nodes["a2"]) >= ROUND_TRIP_S, "its length stays"


def test_a_link_that_lost_its_power_comes_back_as_long_as_before(stage: Stage) -> None:
    lost = Lose([stage.topology.nodes["wan"]])
    lost.inject(stage)
    assert lost.verify(stage).proven
    lost.undo(stage)
    assert lost.verify_undone(stage).proven
    assert round_trip_s(stage, stage.topology.nodes["a2"]) >= ROUND_TRIP_S


def test_a_cut_between_two_regions_cuts_it(stage: Stage) -> None:
    cut = Cut(*Domains(("here",), ("afar",)).nodes(stage.topology))
    cut.inject(stage)
    try:
        assert cut.verify(stage).proven
        with pytest.raises(OSError, match=r".*"):
            round_trip_s(stage, stage.topology.nodes["a2"])
    finally:
        cut.undo(stage)
    assert cut.verify_undone(stage).proven
    assert round_trip_s(stage, stage.topology.nodes["a2"]) >= ROUND_TRIP_S
