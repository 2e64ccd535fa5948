"""Which database is the primary, as each of them says and as a write on each of them proves."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeVar

import asyncpg

from harness.probes.door import Door

#: A database that takes longer than this for anything is taken as not answering, in seconds.
PATIENCE_S: Final = 1.0
OBSERVE_EVERY_S: Final = 0.1

_T = TypeVar("_T")
_STATE: Final = """
SELECT pg_is_in_recovery(),
       CASE WHEN pg_is_in_recovery()
            THEN coalesce((SELECT received_tli FROM pg_stat_wal_receiver),
                          (SELECT timeline_id FROM pg_control_checkpoint()))
            ELSE ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int
       END
"""
_TABLE: Final = """
CREATE TABLE IF NOT EXISTS beat (id int PRIMARY KEY, writes bigint NOT NULL, at_ns bigint NOT NULL);
INSERT INTO beat VALUES (1, 0, 0) ON CONFLICT DO NOTHING;
"""
_WRITE: Final = "UPDATE beat SET writes = writes + 1, at_ns = $1 WHERE id = 1"
_BEAT: Final = "SELECT at_ns FROM beat WHERE id = 1"
_LIMITS: Final = {"statement_timeout": "1000", "lock_timeout": "1000", "application_name": "observer"}

#: Everything that talking to a database that is dying, starting, refusing or gone can raise.
TROUBLE: Final = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


class Session:
    """One connection to one database, made when needed and thrown away at the first sign of trouble.

    It never asks the server to cancel: a commit that waits for its standby would then count as done.
    """

    def __init__(self, door: Door, password: str) -> None:
        self._door, self._password = door, password
        self._connection: asyncpg.Connection | None = None

    async def run(self, work: Callable[[asyncpg.Connection], Awaitable[_T]]) -> _T:
        """Raises one of `TROUBLE`; in any case it takes hardly longer than `PATIENCE_S`."""
        task = asyncio.ensure_future(self._work(work))
        try:
            done, _ = await asyncio.wait({task}, timeout=PATIENCE_S)
            if not done:
                raise TimeoutError(f"{self._door.name}: no answer within {PATIENCE_S:g} s")
            if task.cancelled():
                raise OSError(f"{self._door.name}: the connection was given up")
            return task.result()
        except BaseException:
            if self._connection is None:  # still connecting
                task.cancel()
            else:
                self._connection.terminate()
                self._connection = None
            task.add_done_callback(_forget)
            await asyncio.wait({task}, timeout=PATIENCE_S)
            raise

    async def _work(self, work: Callable[[asyncpg.Connection], Awaitable[_T]]) -> _T:
        if self._connection is None:
            self._connection = await asyncpg.connect(
                host=self._door.host,
                port=self._door.port,
                user="postgres",
                password=self._password,
                database="observer",
                ssl=False,
                server_settings=_LIMITS,
            )
        return await work(self._connection)


@dataclass
class Beats:
    """When the newest write of the observers began that a primary acknowledged, monotonic; 0 before the first."""

    acknowledged_ns: int = 0


class Database:
    """Watches one database node: what it says of itself, and whether it acknowledges a write."""

    def __init__(
        self, door: Door, password: str, add: Callable[[tuple[object, ...]], None], beats: Beats
    ) -> None:
        self._name = door.name
        self._beats = beats
        self._reading, self._writing = Session(door, password), Session(door, password)
        self._add = add
        self._role = ""
        self._acknowledged = 0
        self._prepared = False

    async def watch(self, leader: Callable[[], str]) -> None:
        """Add one row a round until cancelled. A write that hangs delays no observation: it goes on beside."""
        reported, writing = 0, None
        async for _ in rounds(OBSERVE_EVERY_S):
            timeline = 0
            try:
                self._role, timeline = await self._reading.run(_state)
            except Exception:  # whatever a client makes of a server that dies: it did not say what it is
                self._role = ""
            wrote, reported = self._acknowledged > reported, self._acknowledged
            self._add((time.monotonic_ns(), self._name, self._role, timeline, wrote, leader()))
            if self._role == "primary" and (writing is None or writing.done()):
                writing = asyncio.ensure_future(self._write())  # seen in the next row

    async def _write(self) -> None:
        try:
            if not self._prepared:
                await self._writing.run(lambda connection: connection.execute(_TABLE))
                self._prepared = True
            began_ns = time.monotonic_ns()
            await self._writing.run(lambda connection: connection.execute(_WRITE, began_ns))
            self._acknowledged += 1
            self._beats.acknowledged_ns = max(self._beats.acknowledged_ns, began_ns)
        except asyncpg.UndefinedTableError:
            self._prepared = False  # a primary that was made anew
        except TROUBLE:
            pass  # not acknowledged: that is all there is to know


async def newest_beat(session: Session) -> int:
    """When the newest of the observers' writes began that this server shows, monotonic; 0 where there is none.

    Raises one of `TROUBLE`.
    """
    try:
        return int(await session.run(lambda connection: connection.fetchval(_BEAT)) or 0)
    except asyncpg.UndefinedTableError:
        return 0


def _forget(task: asyncio.Future[_T]) -> None:
    """Whatever it comes to: nobody waits for it any more."""
    if not task.cancelled():
        task.exception()


async def _state(connection: asyncpg.Connection) -> tuple[str, int]:
    """The role and the timeline that the server itself names."""
    row = await connection.fetchrow(_STATE)
    assert row is not None
    in_recovery, timeline = row
    return "replica" if in_recovery else "primary", timeline or 0


async def rounds(every_s: float) -> AsyncIterator[None]:
    """One every so often; one that took longer is followed by the next at once."""
    due_s = time.monotonic()
    while True:
        yield
        due_s = max(due_s + every_s, time.monotonic())
        await asyncio.sleep(due_s - time.monotonic())
