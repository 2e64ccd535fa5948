"""The feed receiver: takes telegrams by FTP and brings them into the feed's database.

The agency is told that a telegram has arrived when it is on this node's disk; the database may be gone meanwhile.
In a region that stands by, telegrams wait on the disk until the region's copy of the database has them, which the
receivers of another region brought there; once the region takes writes itself, it stores those that had not come.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import asyncpg

from topology.service import serving
from topology.service.database import Database, NoTables
from topology.service.ftp import FtpServer
from topology.service.loops import forever
from topology.service.serving import Program
from topology.service.settings import Settings
from topology.service.spool import Spool, Spooled
from topology.service.telegram import NotATelegram, Telegram, parse

log: Final = logging.getLogger("feed")

LOOK_EVERY_S: Final = 0.1
FTP_PORT: Final = "2121"

_STORE: Final = (
    "SELECT store_telegram($1, $2, $3, $4, $5, $6, $7, $8::text::jsonb, $9, $10, $11, $12, $13) AS number"
)
_REFUSE: Final = """
    INSERT INTO refused (sha256, problem, received_at_ns, receiver, body) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (sha256) DO NOTHING
"""
_KNOWN: Final = """
    SELECT sha256 FROM telegrams WHERE sha256 = ANY ($1::bytea[])
    UNION SELECT sha256 FROM refused WHERE sha256 = ANY ($1::bytea[])
"""


class Receiver:
    def __init__(self, database: Database, spool: Spool, node: str) -> None:
        self._database, self._spool, self._node = database, spool, node

    async def step(self) -> bool:
        """What there is to do now. Whether there may be more; raises Unavailable."""
        if self._database.standing_by:
            await self.give_up_known()
            return False
        return await self.store_all()

    async def give_up_known(self) -> None:
        """Let go of what the copy of another region's database has."""
        waiting = await asyncio.to_thread(list, self._spool)
        if not waiting:
            return
        by_sha256 = {hashlib.sha256(await asyncio.to_thread(each.read)).digest(): each for each in waiting}
        try:
            rows = await self._database.copied(_KNOWN, list(by_sha256))
        except NoTables:
            return
        for row in rows:
            await asyncio.to_thread(by_sha256[row["sha256"]].done)

    async def store_all(self) -> bool:
        """Bring what is in the spool into the database, oldest first. Raises Unavailable; then the rest stays."""
        waiting = await asyncio.to_thread(list, self._spool)
        for spooled in waiting:
            await self._store(spooled)
        return bool(waiting)

    async def _store(self, spooled: Spooled) -> None:
        body = await asyncio.to_thread(spooled.read)
        sha256 = hashlib.sha256(body).digest()
        try:
            await self._keep(parse(body), sha256, spooled.received_at_ns, body)
        except (
            NotATelegram,
            asyncpg.PostgresError,
        ) as error:  # what the database will never take must not block
            log.warning("%d bytes are no telegram: %s", len(body), error)
            await self._database.write(_REFUSE, sha256, str(error), spooled.received_at_ns, self._node, body)
        await asyncio.to_thread(spooled.done)

    async def _keep(self, telegram: Telegram, sha256: bytes, received_at_ns: int, body: bytes) -> None:
        rows = await self._database.write(
            _STORE,
            sha256,
            telegram.kind,
            telegram.event,
            telegram.info,
            telegram.status,
            telegram.reported,
            telegram.serial,
            json.dumps(dict(telegram.areas)),
            telegram.tsunami,
            telegram.special,
            received_at_ns,
            self._node,
            body,
        )
        number = rows[0]["number"]
        what = f"{telegram.kind} {telegram.event} {telegram.info} {telegram.status}"
        log.info("%s: %s", what, "another receiver was first" if number is None else f"telegram {number}")


@asynccontextmanager
async def opening(settings: Settings) -> AsyncIterator[Program]:
    spool = Spool(settings.data)
    port, user, password = (
        settings.get("FTP_PORT", FTP_PORT),
        settings.get("FEED_USER", "agency"),
        settings.get("FEED_PASSWORD", ""),
    )
    async with Database(settings, connections=1) as database:
        receiver = Receiver(database, spool, settings.node)
        with FtpServer(settings.bind, int(port), spool, user, password, str(settings.data)) as ftp:
            work = [forever("the receiver", receiver.step, LOOK_EVERY_S)]
            yield Program(lambda: ftp.alive, work=work)


def main() -> int:
    return serving.run(opening)
