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
from topology.service.database_server import DatabaseServer, Role
from topology.service.pool import Broken, Connection, NoTables, ReadOnly, Rows, Unavailable
from topology.service.settings import Settings

__all__ = ["Database", "NoTables", "Rows", "Unavailable"]

log: Final = logging.getLogger("database")

LOOK_EVERY_S: Final = 0.5
SEARCH_EVERY_S: Final = 0.3
BELIEVED_S: Final = 3.0
#: How old the consensus store's word may be for a standby to be read.
WORD_S: Final = 1.0
#: A primary is used without the store's word only after asking the store in vain for so long.
PATIENCE_S: Final = 3.0
WRITE_WITHIN_S: Final = 2.5
READ_WITHIN_S: Final = 2.0


class Database:
    """`write` and `read` raise Unavailable at once when there is nobody to ask, and within their time otherwise."""

    def __init__(self, settings: Settings, *, connections: int = 4, statement_s: float = 2.0) -> None:
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

    async def write(self, sql: str, *args: Any, within_s: float = WRITE_WITHIN_S) -> Rows:
        """One statement, a transaction of its own, on the primary. When it returns, every zone in service has it."""
        server = self._writer()
        try:
            return await server.writes.fetch(sql, args, within_s)
        except Unavailable as error:
            self._doubt(server, error)
            raise

    async def read(self, sql: str, *args: Any, within_s: float = READ_WITHIN_S) -> Rows:
        """Rows that miss nothing that was ever acknowledged."""
        server = self._reader()
        try:
            return await server.reads.fetch(sql, args, within_s)
        except Unavailable as error:
            self._doubt(server, error)
            raise

    @asynccontextmanager
    async def session(self, within_s: float = WRITE_WITHIN_S) -> AsyncIterator[Connection]:
        """A connection to the primary, for several statements together."""
        server = self._writer()
        try:
            async with server.writes.session(within_s) as connection:
                yield connection
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
            raise Unavailable("no database takes writes at the moment")
        if self._primary.age_s() > BELIEVED_S:
            self._drop("it was not heard of for too long")
            raise Unavailable("the primary is being confirmed")
        return self._primary

    def _reader(self) -> DatabaseServer:
        if self._primary is not None:
            return self._writer()
        standby = self._standby()
        if standby is None:
            raise Unavailable("no database can be read safely at the moment")
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
            with suppress(TimeoutError):
                async with asyncio.timeout(SEARCH_EVERY_S if self._primary is None else LOOK_EVERY_S):
                    await server.doubted.wait()
            server.doubted.clear()

    async def _listen(self) -> None:
        """While there is no primary: what does the consensus store say?"""
        while True:
            await self._missed.wait()
            try:
                self._view = await self._consensus.view()
                self._in_vain_since_s = None
            except NoConsensus:
                if self._in_vain_since_s is None:
                    self._in_vain_since_s = asyncio.get_running_loop().time()
            self._adopt_primary()
            await asyncio.sleep(SEARCH_EVERY_S)

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
        for server in self._servers:
            server.doubted.set()

    def _doubt(self, server: DatabaseServer, error: Unavailable) -> None:
        """After a question that failed because of the server."""
        if isinstance(error, ReadOnly) and self._primary is server:
            self._drop(str(error))
        elif isinstance(error, Broken | ReadOnly):
            server.doubted.set()


def login(settings: Settings, statement_s: float) -> dict[str, Any]:
    """How every connection begins. The server gives up on us, too, if we vanish without a word."""
    session = {
        "application_name": settings.node,
        "statement_timeout": f"{round(statement_s * 1000)}",
        "idle_in_transaction_session_timeout": "5000",
        "tcp_user_timeout": "5000",
        "tcp_keepalives_idle": "2",
        "tcp_keepalives_interval": "1",
        "tcp_keepalives_count": "3",
        "jit": "off",
    }
    if settings.synchronous:
        session["synchronous_commit"] = "remote_apply"
    return {
        "user": "anpi",
        "database": "anpi",
        "password": settings.database_password,
        "server_settings": session,
    }
