"""One of two storage controllers under a block: it takes what the block's virtual servers write, and keeps it on disk.

POST /records                lines; 200 once they are on disk; 503 with the disk's own word where it refuses them
GET /alive                   200 as long as the controller itself runs, whatever its disk does
GET /health                  200, or 503 with what the disk said last

records.jsonl                what was written
"""

from __future__ import annotations

import errno
from contextlib import AsyncExitStack

from aiohttp import web

from topology.platform.place import Place
from topology.world.journal import Journal
from topology.world.site import health, http, http_port, run, say, stop_signal


class Controller:
    """The HTTP side of a controller."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def app(self) -> web.Application:
        app = web.Application()
        app.add_routes(
            [
                web.post("/records", self._write),
                web.get("/alive", self._alive),
                web.get("/health", self._health),
            ]
        )
        return app

    async def _write(self, request: web.Request) -> web.Response:
        try:
            await self._journal.commit(await request.read())
        except OSError as error:
            return web.Response(status=503, text=errno.errorcode.get(error.errno or 0, "EIO"))
        return web.Response()

    async def _alive(self, _: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def _health(self, _: web.Request) -> web.Response:
        return health(self._journal.fault)


async def serve(place: Place, port: int) -> None:
    """Take records until told to stop. Raises OSError if the port is taken or the disk cannot be used."""
    stopping = stop_signal()
    async with AsyncExitStack() as stack:
        journal = Journal(place.data / "records.jsonl")
        stack.push_async_callback(journal.close)
        port = await stack.enter_async_context(http(Controller(journal).app(), port))
        say(f"ready: http {port}")
        await stopping.wait()


def main() -> int:
    return run(lambda: serve(Place.here(), http_port()))


if __name__ == "__main__":
    raise SystemExit(main())
