"""Connections to one database server.

A query that takes too long is given up by whoever asked, never cancelled: cancelling a commit that waits for the other
zone would make it visible, and acknowledged, in one zone only. Its connection stays taken until the server answers,
so a server that has stopped answering holds at most `size` connections, and they end when the pool is cut.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, TypeAlias

import asyncpg

from topology.service.settings import Address

Rows: TypeAlias = "list[asyncpg.Record]"
Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

CONNECT_S: Final = 1.0
#: After this much silence of data that was sent, the kernel gives a connection up.
SILENCE_MS: Final = 3000


class Unavailable(Exception):
    """The database could not be asked, or did not answer in time. Trying again later makes sense."""


class Nobody(Unavailable):
    """There is no server that may be asked; nothing was."""


class ReadOnly(Unavailable):
    """The server is no longer, or not yet, the primary."""


class Broken(Unavailable):
    """The connection ended, or could not be made: what was asked may have happened."""


class Slow(Unavailable):
    """No answer in time: what was asked may have happened, or may happen yet."""


class NoTables(Unavailable):
    """Nothing has ever been enrolled."""


#: Errors after which it is doubtful whether the server is there at all.
BREAKING: Final = (
    OSError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
)
#: Other errors that say something of the server's state, not of the question.
PASSING: Final = (
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError,
    asyncpg.LockNotAvailableError,
    asyncpg.InvalidCatalogNameError,  # the server is still being set up
    asyncpg.InvalidAuthorizationSpecificationError,
)


class Pool:
    """At most `size` connections, opened when needed; the one used last is used next.

    Who waits for one is served before those who wait longer. Where more is asked than can be answered, all would else
    get their turn when their time is nearly over, and nobody an answer.
    """

    def __init__(self, server: Address, login: Mapping[str, Any], size: int) -> None:
        self._server, self._login, self._size = server, login, size
        self._idle: list[Connection] = []
        self._all: set[Connection] = set()
        self._taken = 0
        self._waiting: list[asyncio.Future[None]] = []

    async def fetch(self, sql: str, args: tuple[Any, ...], within_s: float) -> Rows:
        """All rows. Raises Unavailable, or the server's word on a wrong question (asyncpg.PostgresError)."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within_s
        await self._take(deadline)
        asking = loop.create_task(self._ask(sql, args))
        try:
            await asyncio.wait((asking,), timeout=deadline - loop.time())
        finally:
            # Whoever gives up, even by being cancelled, leaves the question running; its error is then nobody's.
            if not asking.done():
                asking.add_done_callback(_forget)
        if not asking.done():
            raise Slow(f"{self._server}: no answer within {within_s:g} s")
        return asking.result()

    @asynccontextmanager
    async def session(self, within_s: float) -> AsyncIterator[Connection]:
        """A connection for several statements. Raises Unavailable when it cannot be had or is lost meanwhile."""
        await self._take(asyncio.get_running_loop().time() + within_s)
        connection = None
        try:
            with passing(self._server):
                connection = await self._connection()
                yield connection
        finally:
            if connection is not None and connection.is_in_transaction():
                connection.terminate()
            self._give_back(connection)

    def cut(self) -> None:
        """End every connection, without a word to the server; it may be gone."""
        for connection in list(self._all):
            connection.terminate()
        self._all.clear()
        self._idle.clear()

    async def _ask(self, sql: str, args: tuple[Any, ...]) -> Rows:
        connection = None
        try:
            with passing(self._server):
                connection = await self._connection()
                return await connection.fetch(sql, *args)
        finally:
            self._give_back(connection)

    async def _take(self, deadline: float) -> None:
        """A place among the `size`. Raises Slow if none becomes free in time."""
        if self._taken < self._size:
            self._taken += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            async with asyncio.timeout_at(deadline):
                await turn
        except BaseException as error:
            if turn.done() and not turn.cancelled():
                self._free()  # it was our turn in the very moment of giving up
            elif turn in self._waiting:
                self._waiting.remove(turn)
            if isinstance(error, TimeoutError):
                raise Slow(f"{self._server}: all {self._size} connections are taken") from None
            raise

    def _free(self) -> None:
        while self._waiting:
            turn = self._waiting.pop()
            if not turn.done():
                turn.set_result(None)  # the place goes from hand to hand
                return
        self._taken -= 1

    async def _connection(self) -> Connection:
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                return connection
            self._all.discard(connection)
        connection = await connect(self._server, self._login)
        self._all.add(connection)
        return connection

    def _give_back(self, connection: Connection | None) -> None:
        if connection is not None:
            if connection.is_closed() or connection not in self._all:
                self._all.discard(connection)
                connection.terminate()
            else:
                self._idle.append(connection)
        self._free()


async def connect(server: Address, login: Mapping[str, Any]) -> Connection:
    """A connection that notices when its other end has vanished without a word."""
    connection: Connection = await asyncpg.connect(
        host=server.host, port=server.port, timeout=CONNECT_S, ssl=False, command_timeout=None, **login
    )
    _watch_silence(connection)
    return connection


def _watch_silence(connection: Connection) -> None:
    transport = getattr(connection, "_transport", None)
    raw = transport.get_extra_info("socket") if transport is not None else None
    if raw is None:
        return
    with suppress(OSError):
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, SILENCE_MS)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 2)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1)


class passing:  # noqa: N801 -- reads as a statement: with passing(server)
    """Turns errors that pass into Unavailable; lets the rest through."""

    def __init__(self, server: Address) -> None:
        self._server = server

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, asyncpg.ReadOnlySQLTransactionError):
            raise ReadOnly(f"{self._server} is not the primary") from error
        if isinstance(error, asyncpg.QueryCanceledError):
            raise Slow(f"{self._server}: {error}") from error
        if isinstance(error, asyncpg.UndefinedTableError | asyncpg.UndefinedFunctionError):
            raise NoTables(f"{self._server}: nothing has been enrolled yet") from error
        if isinstance(error, BREAKING):
            raise Broken(f"{self._server}: {error or type(error).__name__}") from error
        if isinstance(error, PASSING):
            raise Unavailable(f"{self._server}: {error}") from error


def _forget(asking: asyncio.Task[Rows]) -> None:
    if not asking.cancelled():
        asking.exception()
