"""A mobile carrier's mail: SMTP in, mailboxes, and the push notice behind them.

    SMTP 2525                    mails for the carrier's own domain; 250 only when the mail is on disk
    GET /mailboxes               {"mailboxes": n, "messages": n}
    GET /mailboxes/{address}     the mails of one mailbox, as someone who looks by hand sees them: a JSON list
    GET /stored                  what is stored: JSON lines {"id","to"}, oldest first
    GET /notices?after=SEQ       notices as they come: JSON lines, an empty line after a second without; &to=ADDRESS for
                                 those of one mailbox
    PUT /push                    {"late": 0.6, "lost": 0.3, "within_s": 60}: shares of the notices from now on; DELETE
                                 lets all come at once; GET tells
    PUT /throttle                {"per_s": 20}: mails a second that are taken, the others are put off with 450; DELETE
    PUT /filter                  {"senders": ".co.jp"}: what is taken for spam, see `spam_filter`; DELETE: nothing is
    GET /filter                  {"takes","senders","passed","taken","held"}
    POST /filter/release         what is in quarantine goes into its mailboxes: {"released": n}
    GET /health

The domain is MAIL_DOMAIN, or else the carrier's zone: world.docomo takes mail for docomo.example. SPAM is what becomes
of what is taken for spam: quarantine (as it is if nothing is said) or destroy.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Coroutine
from contextlib import AsyncExitStack, suppress
from dataclasses import asdict

from aiohttp import web

from topology.platform.place import Place
from topology.world.mailboxes import Mailboxes
from topology.world.notices import Notices
from topology.world.push import Push
from topology.world.site import health, http, http_port, run, say, stop_signal
from topology.world.smtp_in import SmtpIn
from topology.world.spam_filter import Filter, Pattern, Takes
from topology.world.throttle import Door, Throttle


class CarrierMail:
    """The HTTP side of a carrier's mail."""

    def __init__(
        self, mailboxes: Mailboxes, spam: Filter, door: Door, notices: Notices, stopping: asyncio.Event
    ) -> None:
        self._mailboxes = mailboxes
        self._spam = spam
        self._door = door
        self._notices = notices
        self._stopping = stopping

    def app(self) -> web.Application:
        app = web.Application()
        app.add_routes(
            [
                web.get("/health", self.health),
                web.get("/mailboxes", self.counts),
                web.get("/mailboxes/{address}", self.messages),
                web.get("/stored", self.stored),
                web.get("/notices", self.notices),
                web.get("/push", self.push),
                web.put("/push", self.restrict),
                web.delete("/push", self.restrict),
                web.put("/throttle", self.throttle),
                web.delete("/throttle", self.throttle),
                web.get("/filter", self.filter),
                web.put("/filter", self.apply),
                web.delete("/filter", self.apply),
                web.post("/filter/release", self.release),
            ]
        )
        return app

    async def health(self, _: web.Request) -> web.Response:
        return health(self._mailboxes.fault or self._spam.fault)

    async def counts(self, _: web.Request) -> web.Response:
        return web.json_response(self._mailboxes.counts())

    async def messages(self, request: web.Request) -> web.Response:
        lines = self._mailboxes.messages(request.match_info["address"])
        return web.Response(body=b"[" + b",\n".join(lines) + b"]", content_type="application/json")

    async def stored(self, _: web.Request) -> web.Response:
        return web.Response(body=self._mailboxes.stored(), content_type="application/x-ndjson")

    async def push(self, _: web.Request) -> web.Response:
        return web.json_response(asdict(self._notices.push))

    async def restrict(self, request: web.Request) -> web.Response:
        """PUT restricts notices, DELETE no longer."""
        try:
            self._notices.push = Push.parse(await request.json()) if request.method == "PUT" else Push()
        except ValueError as error:
            raise web.HTTPBadRequest(text=f"{error}\n") from None
        say(f"push: {self._notices.push}")
        return await self.push(request)

    async def throttle(self, request: web.Request) -> web.Response:
        """PUT puts senders off who bring too much at once, DELETE no longer."""
        try:
            self._door.throttle = Throttle.parse(await request.json()) if request.method == "PUT" else None
        except ValueError as error:
            raise web.HTTPBadRequest(text=f"{error}\n") from None
        say(f"throttle: {self._door.throttle}")
        return web.json_response({"throttled": self._door.throttle is not None})

    async def filter(self, _: web.Request) -> web.Response:
        return web.json_response(self._spam.state())

    async def apply(self, request: web.Request) -> web.Response:
        """PUT has the filter take the mail of some senders for spam, DELETE none any more."""
        try:
            self._spam.apply(Pattern.parse(await request.json()) if request.method == "PUT" else None)
        except ValueError as error:
            raise web.HTTPBadRequest(text=f"{error}\n") from None
        say(f"filter: {self._spam.state()}")
        return await self.filter(request)

    async def release(self, _: web.Request) -> web.Response:
        return web.json_response({"released": await self._spam.release()})

    async def notices(self, request: web.Request) -> web.StreamResponse:
        after = request.query.get("after", "0")
        if not after.isdecimal():
            raise web.HTTPBadRequest(text=f"after: expected the number of a notice, found {after!r}\n")
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await response.prepare(request)
        with suppress(ConnectionError):  # a handset that hung up comes back with the last number it saw
            await self._notices.hand_out(response.write, self._stopping, int(after), request.query.get("to"))
        return response


async def serve(place: Place, domain: str, takes: Takes, port: int, smtp_port: int) -> None:
    """Take mail until told to stop. Raises OSError if a port is taken or the disk cannot be used."""
    stopping = stop_signal()
    async with AsyncExitStack() as stack:
        mailboxes = Mailboxes(place.data, domain)
        stack.push_async_callback(mailboxes.close)
        notices = Notices(place.data, mailboxes)
        stack.push_async_callback(notices.close)
        spam = Filter(mailboxes, place.data, takes)
        stack.push_async_callback(spam.close)
        door = Door(spam)
        smtp = await asyncio.get_running_loop().create_server(
            lambda: SmtpIn(door, place.node), "0.0.0.0", smtp_port
        )
        stack.callback(smtp.close)
        app = CarrierMail(mailboxes, spam, door, notices, stopping).app()
        port = await stack.enter_async_context(http(app, port))
        taken, mails = smtp.sockets[0].getsockname()[1], mailboxes.counts()["messages"]
        say(f"ready: http {port}, smtp {taken}, {mails} mails for {domain}")
        await stopping.wait()


def main() -> int:
    place = Place.here()
    domain = os.environ.get("MAIL_DOMAIN") or f"{place.zone.rpartition('.')[2]}.example"

    def start() -> Coroutine[None, None, None]:
        takes = Takes(os.environ.get("SPAM", Takes.QUARANTINE))
        return serve(place, domain, takes, http_port(), int(os.environ.get("SMTP_PORT", "2525")))

    return run(start)


if __name__ == "__main__":
    raise SystemExit(main())
