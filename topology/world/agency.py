"""The meteorological agency: journals telegrams, and pushes each by FTP to every receiver until it was taken.

    POST /telegrams              a telegram, any bytes; 202 {"number": n, "name": …} once it is on disk;
                                 ?to=feed-a,… for some receivers only; 400 for one that is not there; 503 disk
    GET /telegrams               every telegram, and for each receiver: waiting or taken, tries, what went wrong last
    GET /health

FEEDS says where the receivers are: `feed-a:2121,feed-b:2121`. FEED_USER and FEED_PASSWORD, if they want names.

    telegrams.jsonl              {"number","name","to","at_ns","body" in base64}
    journal/pushed.jsonl         {"number","receiver","at_ns"}
"""

from __future__ import annotations

import os
from contextlib import AsyncExitStack

import orjson
from aiohttp import web

from topology.platform.place import Place, names
from topology.world.dispatch import Dispatch
from topology.world.ftp_push import Receiver
from topology.world.site import health, http, http_port, run, say, stop_signal

LARGEST_TELEGRAM = 4 << 20


class Agency:
    """The HTTP side of the agency."""

    def __init__(self, dispatch: Dispatch) -> None:
        self._dispatch = dispatch

    def app(self) -> web.Application:
        app = web.Application(client_max_size=LARGEST_TELEGRAM)
        app.add_routes(
            [
                web.post("/telegrams", self.publish),
                web.get("/telegrams", self.state),
                web.get("/health", self.health),
            ]
        )
        return app

    async def publish(self, request: web.Request) -> web.Response:
        wanted = [name for name in request.query.get("to", "").split(",") if name]
        receivers = wanted or self._dispatch.receivers
        if unknown := sorted(set(wanted) - set(self._dispatch.receivers)):
            known = ", ".join(self._dispatch.receivers)
            return web.json_response({"error": f"{', '.join(unknown)}: not one of {known}"}, status=400)
        try:
            telegram = await self._dispatch.publish(await request.read(), receivers)
        except OSError as error:
            return web.json_response({"error": f"disk: {error.strerror}"}, status=503)
        return web.json_response({"number": telegram.number, "name": telegram.name}, status=202)

    async def state(self, _: web.Request) -> web.Response:
        body = orjson.dumps({"telegrams": self._dispatch.state()})
        return web.Response(body=body, content_type="application/json")

    async def health(self, _: web.Request) -> web.Response:
        return health(self._dispatch.fault)


async def serve(place: Place, receivers: list[Receiver], port: int) -> None:
    """Publish until told to stop. Raises OSError if the port is taken or the disk cannot be used."""
    stopping = stop_signal()
    async with AsyncExitStack() as stack:
        dispatch = Dispatch(place.data, receivers)
        stack.push_async_callback(dispatch.close)
        port = await stack.enter_async_context(http(Agency(dispatch).app(), port))
        say(f"ready: http {port}, {dispatch.waiting} pushes waiting")
        await stopping.wait()


def main() -> int:
    user, password = os.environ.get("FEED_USER", "anonymous"), os.environ.get("FEED_PASSWORD", "")
    feeds = names("FEEDS")
    return run(
        lambda: serve(Place.here(), [Receiver.at(feed, user, password) for feed in feeds], http_port())
    )


if __name__ == "__main__":
    raise SystemExit(main())
