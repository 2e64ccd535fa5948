"""SMTP in of hosted mail.

    SMTP 2525            250 only when the mail is on this disk and in the archive
    GET /queue           {"queued": n}   taken, and not yet over
    GET /over            JSON lines {"id","to"}: what is over, whatever became of it
    GET /health

DOMAIN is whose mail it takes; AUTHENTICATION, MAILBOXES and ARCHIVE are where the rest stands (`node:port,…`);
LOOKUP_FAILS is what becomes of a mail for which no mailbox is found: defer, bounce or discard, see `delivery`.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from typing import Final

import aiosmtplib
from aiohttp import web

from topology.platform.place import Place
from topology.world.hosting.delivery import Delivery, LookupFails
from topology.world.hosting.lookup import Lookup
from topology.world.hosting.spool import Parcel, Spool
from topology.world.mail import Received
from topology.world.relay import CONNECT_S
from topology.world.site import health, http, http_port, run, say, stop_signal
from topology.world.smtp_in import SmtpIn
from topology.world.smtp_out import Letter, SmtpSession

SENDER: Final = "postmaster@{domain}"
#: The archive has so long, in real seconds, before the sender is asked to come again.
ARCHIVED_WITHIN_S: Final = 5.0
BATCH: Final = 256
LATER: Final = "451 4.3.0 The archive does not take it now"


@dataclass(frozen=True)
class Settings:
    """As the environment has them. Raises ValueError for what is wrong."""

    domain: str
    authentication: tuple[tuple[str, int], ...]
    mailboxes: tuple[tuple[str, int], ...]
    archive: tuple[str, int]
    lookup_fails: LookupFails
    password: str
    clock_scale: float

    @classmethod
    def here(cls) -> Settings:
        given = os.environ
        (archive,) = places("ARCHIVE")
        return cls(
            domain=given["DOMAIN"].lower(),
            authentication=places("AUTHENTICATION"),
            mailboxes=places("MAILBOXES"),
            archive=archive,
            lookup_fails=LookupFails(given.get("LOOKUP_FAILS", "defer")),
            password=given["DATABASE_PASSWORD"],
            clock_scale=float(given.get("CLOCK_SCALE", "1")),
        )


def places(variable: str) -> tuple[tuple[str, int], ...]:
    """`node:port,…`. Raises ValueError that shows what is none."""
    found = []
    for word in filter(None, os.environ.get(variable, "").split(",")):
        host, colon, port = word.strip().rpartition(":")
        if not (host and colon and port.isdecimal()):
            raise ValueError(f"{variable}: expected node:port, found {word!r}")
        found.append((host, int(port)))
    if not found:
        raise ValueError(f"{variable}: expected node:port, found nothing")
    return tuple(found)


class Archive:
    """Puts copies into the archive, many in one round trip."""

    def __init__(self, name: str, place: tuple[str, int]) -> None:
        self._name, self._place = name, place
        self._waiting: list[tuple[Letter, asyncio.Future[bool]]] = []
        self._writer: asyncio.Task[None] | None = None
        self._session: SmtpSession | None = None

    def put(self, letter: Letter) -> asyncio.Future[bool]:
        """Whether the archive has it; never fails."""
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((letter, future))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.get_running_loop().create_task(self._write())
        return future

    async def close(self) -> None:
        if self._writer is not None:
            self._writer.cancel()
            with suppress(asyncio.CancelledError):
                await self._writer
        if self._session is not None:
            self._session.close()

    async def _write(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
            taken = await self._send([letter for letter, _ in batch])
            for (_, future), took in zip(batch, taken, strict=True):
                if not future.done():
                    future.set_result(took)

    async def _send(self, letters: Sequence[Letter]) -> list[bool]:
        try:
            if self._session is None or self._session.broken:
                self._session = await SmtpSession.open(
                    *self._place, name=self._name, connect_s=CONNECT_S, timeout_s=ARCHIVED_WITHIN_S
                )
            return [reply is not None and reply.taken for reply in await self._session.send(letters)]
        except (OSError, aiosmtplib.SMTPException):
            return [False] * len(letters)


class Intake:
    """The postbox: a copy into the archive, the mail into the spool, then the 250."""

    def __init__(self, domain: str, spool: Spool, archive: Archive) -> None:
        self._domain, self._spool, self._archive = domain, spool, archive
        self._under_way: set[asyncio.Task[str]] = set()

    def refusal(self, address: str) -> str | None:
        if address.rpartition("@")[2].lower() != self._domain:
            return "550 5.1.2 No such domain here"
        return None

    def accept(self, recipients: Sequence[str], content: bytes) -> asyncio.Future[str]:
        task = asyncio.get_running_loop().create_task(self._accept(tuple(dict.fromkeys(recipients)), content))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return task

    async def _accept(self, recipients: Sequence[str], content: bytes) -> str:
        sender, id_ = SENDER.format(domain=self._domain), Received.parse(content).id
        copies = [self._archive.put(Letter(sender, to, content)) for to in recipients]
        if not all(await asyncio.gather(*copies)):
            return LATER
        try:
            await self._spool.take_over([Parcel(id_, to, sender, content) for to in recipients])
        except OSError:
            return "451 4.3.0 Local error in processing"
        return "250 2.0.0 Taken"


async def serve(place: Place, settings: Settings, port: int, smtp_port: int) -> None:
    """Take and deliver mails until told to stop. Raises OSError if a port is taken or the disk cannot be used."""
    stopping = stop_signal()
    async with AsyncExitStack() as stack:
        spool = Spool(place.data)
        stack.push_async_callback(spool.close)
        archive = Archive(place.node, settings.archive)
        stack.push_async_callback(archive.close)
        lookup = Lookup(settings.authentication, settings.password)
        stack.push_async_callback(lookup.close)
        servers = {host: (host, number) for host, number in settings.mailboxes}
        delivery = Delivery(place.node, spool, lookup, servers, settings.lookup_fails, settings.clock_scale)
        delivering = asyncio.get_running_loop().create_task(delivery.run())
        stack.push_async_callback(_ended, delivering)
        intake = Intake(settings.domain, spool, archive)
        smtp = await asyncio.get_running_loop().create_server(
            lambda: SmtpIn(intake, place.node), "0.0.0.0", smtp_port
        )
        stack.callback(smtp.close)
        port = await stack.enter_async_context(http(_app(spool), port))
        say(f"ready: http {port}, smtp {smtp.sockets[0].getsockname()[1]}, {spool.queued} mails queued")
        await stopping.wait()


def _app(spool: Spool) -> web.Application:
    async def queue(_: web.Request) -> web.Response:
        return web.json_response({"queued": spool.queued})

    async def healthy(_: web.Request) -> web.Response:
        return health(spool.fault)

    async def over(_: web.Request) -> web.Response:
        return web.Response(body=spool.over(), content_type="application/x-ndjson")

    app = web.Application()
    app.add_routes([web.get("/queue", queue), web.get("/over", over), web.get("/health", healthy)])
    return app


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def main() -> int:
    def start():  # type: ignore[no-untyped-def]
        return serve(Place.here(), Settings.here(), http_port(), int(os.environ.get("SMTP_PORT", "2525")))

    return run(start)


if __name__ == "__main__":
    raise SystemExit(main())
