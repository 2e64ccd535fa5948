"""Connections to one server: never more than agreed, none lost, and no question ever cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tests.topology.service.conftest import settings
from tests.topology.service.postgres import Postgres
from topology.service.database_login import login
from topology.service.pool import Broken, Pool, Slow
from topology.service.settings import Settings

SIZE = 3


def with_pool(server: Postgres, act: Callable[[Pool], Awaitable[None]]) -> None:
    async def run() -> None:
        given = Settings.from_environment({**settings(server), "NODE": "crowd"})
        pool = Pool(given.databases[0], login(given, 30), SIZE)
        await act(pool)
        pool.cut()
        await asyncio.sleep(0)

    asyncio.run(run())


async def backends(pool: Pool) -> int:
    rows = await pool.fetch(
        "SELECT count(*) AS n FROM pg_stat_activity WHERE application_name = 'crowd'", (), 5
    )
    return int(rows[0]["n"])


def test_a_crowd_shares_few_connections(postgres: Postgres) -> None:
    async def act(pool: Pool) -> None:
        counts = await asyncio.gather(*(backends(pool) for _ in range(50)))
        assert max(counts) <= SIZE

    with_pool(postgres, act)


def test_who_gives_up_leaves_the_question_running_and_the_place_is_free_when_it_ends(
    postgres: Postgres,
) -> None:
    async def act(pool: Pool) -> None:
        await pool.fetch("CREATE TABLE IF NOT EXISTS slow (done integer)", (), 5)
        slow = "WITH nap AS (SELECT pg_sleep(0.5)) INSERT INTO slow SELECT 1 FROM nap"
        given_up = await asyncio.gather(
            *(pool.fetch(slow, (), 0.1) for _ in range(6)), return_exceptions=True
        )
        assert [type(error) for error in given_up] == [Slow] * 6

        rows = await pool.fetch("SELECT count(*) AS n FROM slow", (), 5)

        assert await backends(pool) <= SIZE
        # The three that had a connection went on to their end; the three that waited for one never began.
        while rows[0]["n"] < SIZE:
            rows = await pool.fetch("SELECT count(*) AS n FROM slow", (), 5)
        assert rows[0]["n"] == SIZE
        await pool.fetch("DROP TABLE slow", (), 5)

    with_pool(postgres, act)


def test_of_more_questions_than_can_be_answered_many_still_are(postgres: Postgres) -> None:
    async def act(pool: Pool) -> None:
        asking = []
        for _ in range(200):  # a hundred a second, of which the connections carry thirty
            asking.append(asyncio.create_task(pool.fetch("SELECT pg_sleep(0.1)", (), 0.25)))
            await asyncio.sleep(0.01)
        ended = await asyncio.gather(*asking, return_exceptions=True)
        assert sum(isinstance(end, list) for end in ended) > 20, "seven, if who waits longest came first"

    with_pool(postgres, act)


def test_places_are_not_lost_by_those_who_are_cancelled_or_cut_off(postgres: Postgres) -> None:
    async def act(pool: Pool) -> None:
        for moment_s in (0.0, 0.001, 0.01, 0.05):
            asking = [asyncio.create_task(pool.fetch("SELECT pg_sleep(0.03)", (), 5)) for _ in range(10)]
            await asyncio.sleep(moment_s)
            for task in asking[::2]:
                task.cancel()
            if moment_s == 0.01:
                pool.cut()
            ended = await asyncio.gather(*asking, return_exceptions=True)
            assert {type(end) for end in ended} <= {list, asyncio.CancelledError, Broken}

        naps = [pool.fetch("SELECT pg_sleep(0.2)", (), 5) for _ in range(SIZE)]
        began_s = asyncio.get_running_loop().time()
        await asyncio.gather(*naps)
        assert asyncio.get_running_loop().time() - began_s < 0.2 * SIZE

    with_pool(postgres, act)


def test_a_session_that_fails_leaves_no_transaction_behind(postgres: Postgres) -> None:
    async def act(pool: Pool) -> None:
        async def fail() -> None:
            async with pool.session(5) as connection:
                await connection.execute("BEGIN")
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await fail()
        async with pool.session(5) as connection:
            assert not connection.is_in_transaction()

    with_pool(postgres, act)
