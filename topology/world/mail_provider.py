"""A mail delivery provider's site: mails in by HTTP, out by SMTP.

    POST /v3/mail/send    {"messages": [{"id","to","from","subject","text","headers":{}}]}
                          202 {"accepted": n}   once all are on disk; an id that came before is not sent twice
                          400 {"error": …}      nothing of the request was taken
                          503                   the disk refused them; nothing of the request was taken
    GET /queue            {"queued": n}         accepted, and not yet relayed or bounced
    GET /suspended        {"domains": […]}      what an operator has suspended, see `suspension`
    PUT /suspended/{domain}, DELETE             suspend a domain, and relay to it again; 404 if no mail goes there
    GET /health

MAIL_ROUTES says where mails go: `docomo.example=docomo-mail:2525,…`; a mail for any other domain bounces.
"""

from __future__ import annotations

import os
from collections.abc import Coroutine, Mapping
from contextlib import AsyncExitStack

import orjson
from aiohttp import web

from topology.platform.place import Place
from topology.world.lines import Lines
from topology.world.mail import Mail
from topology.world.mail_queue import MailQueue
from topology.world.relay import Exchanger, Relay, routes
from topology.world.site import health, http, http_port, run, say, stop_signal
from topology.world.suspension import Suspension

LARGEST_REQUEST = 32 << 20


class MailProvider:
    """The HTTP side of a site."""

    def __init__(self, queue: MailQueue, lines: Lines, suspension: Suspension) -> None:
        self._queue = queue
        self._lines = lines
        self._suspension = suspension

    def app(self) -> web.Application:
        app = web.Application(client_max_size=LARGEST_REQUEST)
        app.add_routes(
            [
                web.post("/v3/mail/send", self.send),
                web.get("/queue", self.queue),
                web.get("/suspended", self.suspended),
                web.put("/suspended/{domain}", self.suspend),
                web.delete("/suspended/{domain}", self.suspend),
                web.get("/health", self.health),
            ]
        )
        return app

    async def send(self, request: web.Request) -> web.Response:
        try:
            mails = _read(await request.read())
        except ValueError as error:
            return web.json_response({"error": str(error)}, status=400)
        try:
            await self._queue.accept(mails)
        except OSError as error:
            return web.json_response(
                {"error": f"disk: {error.strerror}"}, status=503, headers={"Retry-After": "1"}
            )
        return web.Response(status=202, body=b'{"accepted":%d}' % len(mails), content_type="application/json")

    async def queue(self, _: web.Request) -> web.Response:
        return web.json_response({"queued": self._lines.queued})

    async def suspended(self, _: web.Request) -> web.Response:
        return web.json_response({"domains": self._suspension.domains})

    async def suspend(self, request: web.Request) -> web.Response:
        """PUT suspends a domain, DELETE no longer."""
        domain = request.match_info["domain"].lower()
        try:
            self._suspension.change(domain, suspended=request.method == "PUT")
        except KeyError:
            raise web.HTTPNotFound(text=f"no mail goes to {domain}\n") from None
        except OSError as error:
            raise web.HTTPServiceUnavailable(text=f"disk: {error.strerror}\n") from None
        say(f"suspended: {', '.join(self._suspension.domains) or 'none'}")
        return await self.suspended(request)

    async def health(self, _: web.Request) -> web.Response:
        return health(self._queue.fault)


def _read(body: bytes) -> list[Mail]:
    """The mails of a request. Raises ValueError that says what is wrong with it."""
    request = orjson.loads(body)
    messages = request.get("messages") if isinstance(request, dict) else None
    if not isinstance(messages, list):
        raise ValueError('expected an object {"messages": [...]}')
    return [Mail.from_json(row, f"messages[{number}]") for number, row in enumerate(messages)]


async def serve(
    place: Place, port: int, clock_scale: float, exchangers: Mapping[str, Exchanger], lines: Lines
) -> None:
    """Take and relay mails until told to stop. Raises OSError if the port is taken or the disk cannot be used."""
    stopping = stop_signal()
    async with AsyncExitStack() as stack:
        queue = MailQueue(place.data, lines)
        stack.push_async_callback(queue.close)
        suspension = Suspension(place.data, exchangers)
        relay = Relay(place.node, exchangers, clock_scale, lines, queue, suspension)
        stack.push_async_callback(relay.stop)
        port = await stack.enter_async_context(http(MailProvider(queue, lines, suspension).app(), port))
        say(f"ready: http {port}, {lines.queued} mails queued")
        await stopping.wait()


def main(lines: type[Lines] = Lines) -> int:
    """`lines`: where accepted mails wait for their carrier."""

    def provider() -> Coroutine[None, None, None]:
        exchangers = routes(os.environ.get("MAIL_ROUTES", ""))
        clock_scale = float(os.environ.get("CLOCK_SCALE", "1"))
        return serve(Place.here(), http_port(), clock_scale, exchangers, lines(exchangers))

    return run(provider)


if __name__ == "__main__":
    raise SystemExit(main())
