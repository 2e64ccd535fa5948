"""The service's database, wherever it is at the moment.

              asked every 0.5 s: are you the primary?
    DATABASES ───────────────────────────────────────► the primary: writes and reads
        │ none answers: every 0.3 s                        ▲ believed unless the consensus store names another
        └──────────────────────────────────────────► a standby: reads only, while the consensus store
                                                       has said within the last second that it lacks nothing

A power loss says no goodbye, and a node that was frozen does not know it: so nothing is believed for longer than
`BELIEVED_S`, and what was not confirmed for so long is found anew, before it is used.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from types import TracebackType
from typing import Any, Final, Self

from topology.service.consensus import Consensus, NoConsensus, View
from topology.service.database_login import login
from topology.service.database_server import DatabaseServer, Role
from topology.service.holding import Holding
from topology.service.pool import Broken, Connection, Nobody, NoTables, Pool, ReadOnly, Rows, Unavailable
from topology.service.settings import Settings

__all__ = ["Database", "NoTables", "Rows", "Unavailable"]

log: Final = logging.getLogger("database")

LOOK_EVERY_S: Final = 0.5
SEARCH_EVERY_S: Final = 0.3
#: In a region that follows another one, where a primary is the exception.
FOLLOWING_EVERY_S: Final = 1.0
BELIEVED_S: Final = 3.0
#: How old the consensus store's word may be for a standby to be read.
WORD_S: Final = 1.0
#: So many questions to the store are under way at once, at most.
ASKED_AT_ONCE: Final = 3
#: A primary is used without the store's word only after asking the store in vain for so long.
PATIENCE_S: Final = 3.0
WRITE_WITHIN_S: Final = 2.5
READ_WITHIN_S: Final = 2.0


class Database:
    """`write` and `read` raise Unavailable within their time, and after `held_s` when there is nobody to ask."""

    def __init__(
        self, settings: Settings, *, connections: int = 4, statement_s: float = 2.0, held_s: float = 0.0
    ) -> None:
        given = login(settings, statement_s)
        self._servers = [DatabaseServer(address, given, connections) for address in settings.databases]
        self._consensus = Consensus(settings.consensus)
        self._primary: DatabaseServer | None = None
        self._since_s = 0.0
        self._view: View | None = None
        self._in_vain_since_s: float | None = None
        self._found = asyncio.Event()
        self._missed = asyncio.Event()
        self._missed.set()
        self._holding = Holding(held_s, self._look_now)
        self._served = asyncio.Event()
        self._hurry = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._watch(server)) for server in self._servers]
        if self._consensus.exists:
            self._tasks.append(asyncio.create_task(self._listen()))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for server in self._servers:
            server.lost("closed")
        await asyncio.sleep(0)  # the loop closes the sockets in its next round

    # -- asking ------------------------------------------------------------------------------------------------

    async def write(
        self, sql: str, *args: Any, within_s: float = WRITE_WITHIN_S, again: bool = False
    ) -> Rows:
        """One statement, a transaction of its own, on the primary. When it returns, every zone in service has it.

        `again`: it may be carried out twice, so that it is also tried again when a connection broke.
        """

        until_s = asyncio.get_running_loop().time() + within_s

        async def ask() -> Rows:
            server = self._writer()
            return await self._ask(server, server.writes, sql, args, until_s)

        return await self._holding.ask(ask, self._found, again=again)

    async def read(self, sql: str, *args: Any, within_s: float = READ_WITHIN_S) -> Rows:
        """Rows that miss nothing that was ever acknowledged."""
        until_s = asyncio.get_running_loop().time() + within_s

        async def ask() -> Rows:
            server = self._reader()
            return await self._ask(server, server.reads, sql, args, until_s)

        return await self._holding.ask(ask, self._served, again=True)

    async def copied(self, sql: str, *args: Any, within_s: float = READ_WITHIN_S) -> Rows:
        """Rows as this region's copy of another's database has them by now. Raises Unavailable where there is none."""
        until_s = asyncio.get_running_loop().time() + within_s
        if (server := self._copy()) is None:
            raise Unavailable("this region has no copy that can be read at the moment")
        return await self._ask(server, server.reads, sql, args, until_s)

    @asynccontextmanager
    async def session(self, within_s: float = WRITE_WITHIN_S) -> AsyncIterator[Connection]:
        """A connection to the primary, for several statements together."""

        async def find() -> DatabaseServer:
            return self._writer()

        server = await self._holding.ask(find, self._found)
        try:
            async with server.writes.session(within_s) as connection:
                yield connection
        except Unavailable as error:
            self._doubt(server, error)
            raise

    async def _ask(
        self, server: DatabaseServer, pool: Pool, sql: str, args: tuple[Any, ...], until_s: float
    ) -> Rows:
        try:
            return await pool.fetch(sql, args, max(0.0, until_s - asyncio.get_running_loop().time()))
        except Unavailable as error:
            self._doubt(server, error)
            raise

    # -- what is there to ask ----------------------------------------------------------------------------------

    @property
    def writable(self) -> bool:
        return self._primary is not None and self._primary.age_s() < BELIEVED_S

    @property
    def readable(self) -> bool:
        return self.writable or self._standby() is not None

    @property
    def standing_by(self) -> bool:
        """Nothing is amiss, but another region takes the writes: here is a copy of what it has."""
        return self._following and self._copy() is not None

    @property
    def primary(self) -> str | None:
        """The name of the node that takes writes."""
        return self._primary.name if self._primary is not None and self.writable else None

    @property
    def settled_s(self) -> float:
        """For how long the same primary has been there, without a break; 0 while there is none."""
        return asyncio.get_running_loop().time() - self._since_s if self.writable else 0.0

    async def wait_writable(self, within_s: float) -> None:
        """Raises Unavailable if no primary is found in time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._found.wait()
        if not self.writable:
            tried = "; ".join(
                f"{server.address}: {server.role.value}, {server.why}" for server in self._servers
            )
            raise Unavailable(f"no database takes writes ({tried})")

    def _writer(self) -> DatabaseServer:
        if self._primary is None:
            raise Nobody("no database takes writes at the moment")
        if self._primary.age_s() > BELIEVED_S:
            self._drop("it was not heard of for too long")
            raise Nobody("the primary is being confirmed")
        return self._primary

    def _reader(self) -> DatabaseServer:
        if self._primary is not None:
            return self._writer()
        standby = self._standby()
        if standby is None:
            raise Nobody("no database can be read safely at the moment")
        return standby

    def _standby(self) -> DatabaseServer | None:
        """A standby that is known to lack nothing."""
        view = self._view
        if view is None or asyncio.get_running_loop().time() - view.asked_s > WORD_S:
            return None
        for server in self._servers:
            if server.role is not Role.GONE and server.name in view.synchronous and server.age_s() < WORD_S:
                return server
        return None

    @property
    def _following(self) -> bool:
        return self._primary is None and self._view is not None and self._view.following

    def _copy(self) -> DatabaseServer | None:
        found = (server for server in self._servers if server.role is Role.STANDBY)
        return next((server for server in found if server.age_s() < BELIEVED_S), None)

    @property
    def _look_after_s(self) -> float:
        if self._primary is not None:
            return LOOK_EVERY_S
        return FOLLOWING_EVERY_S if self._following and not self._holding.any else SEARCH_EVERY_S

    # -- looking -----------------------------------------------------------------------------------------------

    async def _watch(self, server: DatabaseServer) -> None:
        """Keep knowing one server; all of them while there is no primary, else the primary alone."""
        while True:
            if self._primary is None or self._primary is server:
                was_believed = server.age_s() < BELIEVED_S
                await server.look()
                if self._primary is server and server.role is not Role.PRIMARY:
                    self._drop(server.why or "it is a standby now")
                elif self._primary is server and not was_believed:
                    self._drop("it was not heard of for too long")
                self._adopt_primary()
                self._note()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._look_after_s):
                    await server.doubted.wait()
            server.doubted.clear()

    async def _listen(self) -> None:
        """While there is no primary: what does the consensus store say?

        Asked on a timetable, whether it has answered yet or not: a word that takes long to come must not make the one
        before it grow too old.
        """
        asking: set[asyncio.Task[None]] = set()
        try:
            while True:
                await self._missed.wait()
                if len(asking) < ASKED_AT_ONCE:
                    asking.add(task := asyncio.create_task(self._hear()))
                    task.add_done_callback(asking.discard)
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._look_after_s):
                        await self._hurry.wait()
                self._hurry.clear()
        finally:
            for task in asking:
                task.cancel()
            await asyncio.gather(*asking, return_exceptions=True)

    async def _hear(self) -> None:
        """The newest word counts, in whatever order they come."""
        asked_s = asyncio.get_running_loop().time()
        try:
            view = await self._consensus.view()
        except NoConsensus:
            view = None
        if not self._missed.is_set():
            return  # a primary was found meanwhile
        if self._view is None or self._view.asked_s < asked_s:
            if view is not None:
                self._view, self._in_vain_since_s = view, None
            elif self._in_vain_since_s is None:
                self._in_vain_since_s = asyncio.get_running_loop().time()
        self._adopt_primary()
        self._note()

    def _look_now(self) -> None:
        self._hurry.set()
        for server in self._servers:
            server.doubted.set()

    def _note(self) -> None:
        """Who is held tries again when there is somebody to ask."""
        (self._served.set if self.readable else self._served.clear)()

    def _adopt_primary(self) -> None:
        """Take a server for the primary if one says so and there is no reason to doubt it."""
        for server in self._servers:
            fresh = server.role is Role.PRIMARY and server.age_s() < WORD_S
            if self._primary is None and fresh and self._leads(server):
                log.info("%s takes writes", server.address)
                self._primary, self._since_s = server, asyncio.get_running_loop().time()
                self._view = self._in_vain_since_s = None
                self._missed.clear()
                self._found.set()

    def _leads(self, server: DatabaseServer) -> bool:
        """Two servers can say that they are the primary, if one of them slept; only one of them leads."""
        if not self._consensus.exists:
            return True
        now_s = asyncio.get_running_loop().time()
        if self._view is not None and now_s - self._view.asked_s < WORD_S:
            return self._view.leader == server.name
        return self._in_vain_since_s is not None and now_s - self._in_vain_since_s > PATIENCE_S

    def _drop(self, why: str) -> None:
        """Look for a primary anew."""
        if self._primary is None:
            return
        log.warning("%s is not used any more: %s", self._primary.address, why)
        self._primary = None
        self._found.clear()
        self._missed.set()
        self._note()
        self._look_now()

    def _doubt(self, server: DatabaseServer, error: Unavailable) -> None:
        """After a question that failed because of the server."""
        if isinstance(error, ReadOnly) and self._primary is server:
            self._drop(str(error))
        elif isinstance(error, Broken | ReadOnly):
            server.doubted.set()
