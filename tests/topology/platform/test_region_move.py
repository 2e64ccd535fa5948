"""Two regions with real databases: one follows the other, takes its place, and the old one comes back as a copy."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest

from tests.topology.platform.replica_part import Part, brought_up, eventually
from tests.topology.platform.test_database import connected
from topology import map as topology_map
from topology.map import Map, Node

pytestmark = [pytest.mark.fabric, pytest.mark.takes(15)]

UP_WITHIN_S = 60.0
#: The guard's next question, Patroni's next round, the promotion, and what a busy machine needs.
PROMOTED_WITHIN_S = 15.0
FENCED_WITHIN_S = 15.0
FOLLOWS_WITHIN_S = 60.0


@pytest.fixture(scope="module")
def two_regions() -> Map:
    from tests.topology.platform.conftest import ROOT

    return topology_map.read(ROOT / "docker-compose.multi-region.yml").only(["singapore", "tokyo"])


@pytest.fixture(scope="module")
def part(two_regions: Map, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Part]:
    roles = ("fence", "wide-area-link", "consensus", "database")
    nodes = tuple(node for role in roles for node in two_regions.with_role(role))
    with brought_up(two_regions, nodes, tmp_path_factory.mktemp("regions")) as part:
        part.await_healthy(nodes, UP_WITHIN_S)
        with connected(part, part.node("database-a")) as connection:
            connection.execute("CREATE TABLE kept (region text, number bigint)")
        yield part


def fence(part: Part, region: str | None = None, *, change: bool = False) -> dict[str, Any]:
    """What the register says; with `change`, after it was made to say this region."""
    connection = part.connect(part.node("fence"), 8000)
    connection.request("GET", "/writable")
    now = json.loads(connection.getresponse().read())
    if change:
        connection.request("PUT", "/writable", json.dumps({"region": region, "epoch": now["epoch"] + 1}))
        response = connection.getresponse()
        assert response.status == 200, response.read()
        now = json.loads(response.read())
    connection.close()
    assert isinstance(now, dict)
    return now


def writable(part: Part, node: Node) -> bool:
    with suppress(psycopg.Error), connected(part, node) as connection:
        return connection.execute("SELECT NOT pg_is_in_recovery()").fetchone() == (True,)
    return False


def numbers(part: Part, node: Node, region: str) -> list[int]:
    with suppress(psycopg.Error), connected(part, node) as connection:
        found = connection.execute("SELECT number FROM kept WHERE region = %s ORDER BY number", (region,))
        return [int(str(row[0])) for row in found]
    return []


def keep(part: Part, node: Node, region: str, wanted: range) -> None:
    with connected(part, node) as connection:
        for number in wanted:
            connection.execute("INSERT INTO kept VALUES (%s, %s)", (region, number))


@dataclass
class Watch:
    """Tries all the time to write to nodes that must not take anything; remembers what they took all the same."""

    part: Part
    nodes: tuple[Node, ...]
    taken: list[str] = field(default_factory=list)
    asked: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Watch:
        self._threads = [threading.Thread(target=self._try, args=(node,)) for node in self.nodes]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _try(self, node: Node) -> None:
        while not self._stop.wait(0.05):
            with suppress(psycopg.Error), connected(self.part, node) as connection:
                self.asked += 1
                connection.execute("INSERT INTO kept VALUES ('forbidden', 1)")
                self.taken.append(node.name)


def test_a_region_moves_and_comes_back(part: Part, two_regions: Map) -> None:
    singapore, tokyo = two_regions.in_region("singapore"), part.node("database-t")
    old = (part.node("database-a"), part.node("database-b"))
    running = [node for node in singapore if node.name in part.topology.nodes]

    # Tokyo follows.
    keep(part, old[0], "singapore", range(100))
    eventually(lambda: len(numbers(part, tokyo, "singapore")) == 100, "tokyo has all of it", 10)
    assert not writable(part, tokyo)

    # Singapore is gone; tokyo is given its right and takes writes.
    for node in running:
        part.runtime.kill(node)
    fence(part, None, change=True)
    assert not writable(part, tokyo)
    fence(part, "tokyo", change=True)
    took_s = eventually(lambda: writable(part, tokyo), "tokyo takes writes", PROMOTED_WITHIN_S)
    print(f"promoted after {took_s:.1f} s")
    assert len(numbers(part, tokyo, "singapore")) == 100
    keep(part, tokyo, "tokyo", range(100))

    # Singapore comes back and takes nothing until it has all that tokyo has.
    with Watch(part, old) as watch:
        for node in running:
            part.runtime.start(node)
        took_s = eventually(
            lambda: all(len(numbers(part, node, "tokyo")) == 100 for node in old),
            "singapore follows",
            FOLLOWS_WITHIN_S,
        )
    print(f"followed after {took_s:.1f} s; {watch.asked} connections")
    assert watch.taken == []
    assert watch.asked > 0

    # Back again, with both alive, and nothing is lost: fenced, all of it there, moved.
    keep(part, tokyo, "tokyo", range(100, 200))
    fence(part, None, change=True)
    took_s = eventually(
        lambda: not writable(part, tokyo) and bool(numbers(part, tokyo, "tokyo")),
        "tokyo takes no writes any more",
        FENCED_WITHIN_S,
    )
    print(f"fenced after {took_s:.1f} s")
    eventually(lambda: len(numbers(part, old[0], "tokyo")) == 200, "singapore has all of it", 10)
    fence(part, "singapore", change=True)
    took_s = eventually(
        lambda: any(writable(part, node) for node in old), "singapore takes writes", PROMOTED_WITHIN_S
    )
    print(f"promoted after {took_s:.1f} s")
    leader = next(node for node in old if writable(part, node))
    keep(part, leader, "singapore", range(100, 200))
    took_s = eventually(
        lambda: len(numbers(part, tokyo, "singapore")) == 200, "tokyo follows again", FOLLOWS_WITHIN_S
    )
    print(f"followed after {took_s:.1f} s")
    assert not writable(part, tokyo)
