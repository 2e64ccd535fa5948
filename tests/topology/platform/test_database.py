"""A real pair of databases with a real consensus store: what acknowledged writes survive, and how soon they go on."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise

import psycopg
import pytest

from harness.failure import Failure
from tests.topology.platform.replica_part import Part, brought_up, eventually
from topology.map import Map, Node

pytestmark = [pytest.mark.fabric, pytest.mark.takes(90)]

UP_WITHIN_S = 40.0
#: The lease (20 s), the 2 s that Patroni waits for the lost primary's answer, and what a busy machine needs.
TAKEN_OVER_WITHIN_S = 28.0
#: Patroni sees the crash in its next round; no lease has to end.
CRASH_TAKEN_OVER_WITHIN_S = 8.0
#: The storage is looked at every second; then Patroni stops PostgreSQL and gives its lease back.
STORAGE_TAKEN_OVER_WITHIN_S = 10.0
#: TCP_USER_TIMEOUT (2 s) and Patroni's next round.
GOES_ON_ALONE_WITHIN_S = 7.0
JOINED_WITHIN_S = 40.0


@dataclass
class Writer:
    """Somebody who writes numbers to every database that takes them, and remembers what was acknowledged."""

    part: Part
    databases: tuple[Node, ...]
    acknowledged: list[tuple[float, str, int]] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        for node in self.databases:
            thread = threading.Thread(target=self._write, args=(node,), daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def since(self, at_s: float, node: Node) -> list[float]:
        """When this node acknowledged something after that instant (time.monotonic)."""
        return [at for at, name, _ in self.acknowledged if at > at_s and name == node.name]

    def longest_gap_s(self, since_s: float) -> float:
        times = [at for at, *_ in self.acknowledged if at > since_s - 1]
        return max(later - earlier for earlier, later in pairwise(times))

    def _write(self, node: Node) -> None:
        number = 0
        while not self._stop.is_set():
            with suppress(psycopg.Error), connected(self.part, node) as connection:
                while not self._stop.is_set():
                    number += 1
                    connection.execute("INSERT INTO kept VALUES (%s, %s)", (node.name, number))
                    self.acknowledged.append((time.monotonic(), node.name, number))
                    self._stop.wait(0.02)
            self._stop.wait(0.05)


def connected(part: Part, node: Node) -> psycopg.Connection[tuple[object, ...]]:
    with part.runtime.inside(part.here):
        return psycopg.connect(
            host=str(node.address),
            dbname="observer",
            user="anpi",
            password=node.environment["DATABASE_PASSWORD"],
            connect_timeout=2,
            tcp_user_timeout=2000,
            autocommit=True,
        )


@pytest.fixture(scope="module")
def part(replica: Map, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Part]:
    nodes = tuple(node for role in ("fence", "consensus", "database") for node in replica.with_role(role))
    with brought_up(replica, nodes, tmp_path_factory.mktemp("database")) as part:
        part.await_healthy(nodes, UP_WITHIN_S)
        yield part


@pytest.fixture(scope="module")
def databases(part: Part) -> tuple[Node, Node]:
    return part.node("database-a"), part.node("database-b")


def primary(part: Part, databases: tuple[Node, Node]) -> Node | None:
    return next((node for node in databases if part.get(node, 8008, "/primary")[0] == 200), None)


def is_synchronous_standby(part: Part, node: Node) -> bool:
    return part.get(node, 8008, "/sync")[0] == 200


@pytest.fixture
def pair(part: Part, databases: tuple[Node, Node]) -> tuple[Node, Node]:
    """The primary and its synchronous standby, whichever of the two is which now."""
    for node in databases:
        part.runtime.start(node)
    eventually(
        lambda: any(is_synchronous_standby(part, node) for node in databases),
        "one is the synchronous standby of the other",
        JOINED_WITHIN_S,
    )
    first = primary(part, databases)
    assert first is not None
    return first, next(node for node in databases if node != first)


@pytest.fixture
def writer(part: Part, pair: tuple[Node, Node]) -> Iterator[Writer]:
    """Writes all the time; what was acknowledged must be there at the end, or the test fails."""
    with connected(part, pair[0]) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (node text, number bigint)")
        connection.execute("TRUNCATE kept")
    writer = Writer(part, pair)
    writer.start()
    eventually(lambda: len(writer.acknowledged) > 20, "writes are acknowledged", 5)
    yield writer
    writer.stop()
    holder = primary(part, pair)
    assert holder is not None
    with connected(part, holder) as connection:
        kept = set(connection.execute("SELECT node, number FROM kept").fetchall())
    lost = [(node, number) for _, node, number in writer.acknowledged if (node, number) not in kept]
    assert lost == []


def test_the_first_node_makes_the_cluster(part: Part, pair: tuple[Node, Node]) -> None:
    assert pair[0].name == "database-a"
    with connected(part, pair[0]) as connection:
        owners = connection.execute(
            "SELECT datname, pg_get_userbyid(datdba) FROM pg_database WHERE datname IN ('anpi', 'observer')"
        ).fetchall()
    assert sorted(owners) == [("anpi", "anpi"), ("observer", "anpi")]


def test_a_write_is_acknowledged_when_the_standby_shows_it(part: Part, pair: tuple[Node, Node]) -> None:
    first, second = pair
    with connected(part, first) as writing, connected(part, second) as reading:
        writing.execute("CREATE TABLE IF NOT EXISTS seen (number int)")
        for number in range(200):
            writing.execute("INSERT INTO seen VALUES (%s)", (number,))
            assert reading.execute("SELECT max(number) FROM seen").fetchone() == (number,)


def test_a_lost_standby_holds_up_writes_for_seconds_and_comes_back(
    part: Part, pair: tuple[Node, Node], writer: Writer
) -> None:
    first, second = pair
    lost_s = time.monotonic()
    part.runtime.kill(second)
    eventually(
        lambda: len(writer.since(lost_s + 1, first)) > 20,
        "writes go on without it",
        GOES_ON_ALONE_WITHIN_S + 2,
    )
    assert writer.longest_gap_s(lost_s) < GOES_ON_ALONE_WITHIN_S
    part.runtime.start(second)
    eventually(lambda: is_synchronous_standby(part, second), "it is synchronous again", JOINED_WITHIN_S)


def test_when_postgresql_of_the_primary_crashes_the_standby_takes_over_at_once(
    part: Part, pair: tuple[Node, Node], writer: Writer
) -> None:
    first, second = pair
    crashed_s = time.monotonic()
    crash = "kill -9 $(head -1 /mnt/data/postgresql/postmaster.pid)"
    assert part.runtime.exec(first, ["sh", "-c", crash], 5).status == 0
    eventually(
        lambda: bool(writer.since(crashed_s, second)), "the standby took over", CRASH_TAKEN_OVER_WITHIN_S
    )
    eventually(lambda: is_synchronous_standby(part, first), "the old primary is the standby", JOINED_WITHIN_S)


@pytest.mark.parametrize("how", [Failure.BROKEN, Failure.READ_ONLY])
def test_when_the_storage_of_the_primary_fails_the_standby_takes_over_and_nothing_is_lost(
    part: Part, pair: tuple[Node, Node], writer: Writer, how: Failure
) -> None:
    first, second = pair
    assert first.enclosure is not None
    failed_s = time.monotonic()
    part.runtime.fail_enclosure(first.enclosure, how)
    try:
        eventually(
            lambda: bool(writer.since(failed_s, second)), "the standby took over", CRASH_TAKEN_OVER_WITHIN_S
        )
        eventually(lambda: not part.runtime.alive(first), "the node ended", STORAGE_TAKEN_OVER_WITHIN_S)
        log = part.runtime.log(
            first, 20_000
        )  # Patroni complains of the storage many times a second meanwhile
        assert any("the storage is gone" in line for line in log), "\n".join(log[-40:])
    finally:
        part.runtime.repair_enclosure(first.enclosure)
    eventually(lambda: is_synchronous_standby(part, first), "the old primary is the standby", JOINED_WITHIN_S)


def test_a_primary_without_storage_is_replaced_though_nobody_writes(
    part: Part, pair: tuple[Node, Node]
) -> None:
    first, second = pair
    assert first.enclosure is not None
    part.runtime.fail_enclosure(first.enclosure, Failure.BROKEN)
    try:
        eventually(
            lambda: part.get(second, 8008, "/primary")[0] == 200,
            "the standby took over",
            STORAGE_TAKEN_OVER_WITHIN_S,
        )
    finally:
        part.runtime.repair_enclosure(first.enclosure)
    eventually(lambda: is_synchronous_standby(part, first), "the old primary is the standby", JOINED_WITHIN_S)


def test_a_standby_that_lost_its_disk_copies_the_primary(
    part: Part, pair: tuple[Node, Node], writer: Writer
) -> None:
    _, second = pair
    part.runtime.kill(second)
    shutil.rmtree(part.volume(second.name) / "postgresql")
    part.runtime.start(second)
    eventually(lambda: is_synchronous_standby(part, second), "it is synchronous again", JOINED_WITHIN_S)
    kept = {path.name for path in part.volume(second.name).iterdir()}
    assert kept == {"postgresql", ".storage-watch"}


def test_a_primary_that_is_cut_off_acknowledges_nothing_and_the_standby_takes_over(
    part: Part, pair: tuple[Node, Node], writer: Writer
) -> None:
    first, second = pair
    mine = [node for node in part.topology if node.zone == first.zone]
    others = [node for node in part.topology if node.zone not in (first.zone, part.here.zone)]
    part.runtime.cut(mine, others)
    part.runtime.cut(others, mine)
    cut_s = time.monotonic()
    try:
        eventually(lambda: bool(writer.since(cut_s, second)), "the standby took over", TAKEN_OVER_WITHIN_S)
        # Allowed is only what had the standby's word before the cut and was told to the writer after it.
        assert writer.since(cut_s + 0.2, first) == []
        part.runtime.kill(first)  # for now it must come back from a power loss, too
    finally:
        part.runtime.join(mine, others)
        part.runtime.join(others, mine)
    part.runtime.start(first)
    eventually(lambda: is_synchronous_standby(part, first), "the old primary is the standby", JOINED_WITHIN_S)
