"""The status page: what is going on, told to everybody from outside the regions. It needs no database and no region.

GET  /            the page, in Japanese or English, newest notice first; no script, nothing loaded from elsewhere
POST /notices     {"ja": …, "en": …}; 201 {"number": n} once it is on disk; 400 what is wrong; 503 disk
GET  /notices     every notice, oldest first
GET  /health

notices.jsonl     {"number", "at", "ja", "en"}
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Final

import orjson
from aiohttp import web

from topology.platform.place import Place
from topology.service import pages
from topology.world.journal import Journal
from topology.world.site import health, http, http_port, run, say, stop_signal

FILE: Final = "notices.jsonl"
LARGEST: Final = 64 * 1024
LONGEST: Final = 4000


@dataclass(frozen=True)
class Notice:
    """`at` is the wall-clock time, ISO 8601 with its zone."""

    number: int
    at: str
    ja: str
    en: str

    @property
    def time(self) -> datetime:
        return datetime.fromisoformat(self.at)


class StatusPage:
    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._notices = [Notice(**orjson.loads(line)) for line in journal.lines()]
        self._numbers = len(self._notices)

    def app(self) -> web.Application:
        app = web.Application(client_max_size=LARGEST)
        app.add_routes(
            [
                web.get("/", self.page),
                web.post("/notices", self.post),
                web.get("/notices", self.list),
                web.get("/health", self.health),
            ]
        )
        return app

    async def page(self, request: web.Request) -> web.Response:
        chosen, accepted = request.query.get("lang"), request.headers.get("Accept-Language")
        language = pages.language_of(chosen, accepted)
        told = [(notice.time, getattr(notice, language)) for notice in reversed(self._notices)]
        return web.Response(body=pages.render("notices", language, notices=told), headers=pages.HEADERS)

    async def post(self, request: web.Request) -> web.Response:
        try:
            written = _words(orjson.loads(await request.read()))
        except ValueError as error:
            return web.json_response({"error": str(error)}, status=400)
        self._numbers += 1
        notice = Notice(self._numbers, datetime.now(UTC).isoformat(timespec="seconds"), **written)
        try:
            await self._journal.commit(orjson.dumps(asdict(notice)) + b"\n")
        except OSError as error:
            return web.json_response({"error": f"disk: {error.strerror}"}, status=503)
        self._notices.append(notice)
        return web.json_response({"number": notice.number}, status=201)

    async def list(self, _: web.Request) -> web.Response:
        body = orjson.dumps([asdict(notice) for notice in self._notices])
        return web.Response(body=body, content_type="application/json")

    async def health(self, _: web.Request) -> web.Response:
        return health(self._journal.fault)


def _words(notice: object) -> dict[str, str]:
    """Raises ValueError, saying what is wrong."""
    if not isinstance(notice, dict) or set(notice) != {"ja", "en"}:
        raise ValueError('expected {"ja": …, "en": …}')
    for language, text in notice.items():
        if not isinstance(text, str) or not text.strip() or len(text) > LONGEST:
            raise ValueError(f"{language}: expected text of at most {LONGEST} characters")
    return notice


async def serve(place: Place, port: int) -> None:
    """Serve until told to stop. Raises OSError if the port is taken or the disk cannot be used."""
    stopping = stop_signal()
    async with AsyncExitStack() as stack:
        journal = Journal(place.data / FILE)
        stack.push_async_callback(journal.close)
        port = await stack.enter_async_context(http(StatusPage(journal).app(), port))
        say(f"ready: http {port}")
        await stopping.wait()


def main() -> int:
    return run(lambda: serve(Place.here(), http_port()))


if __name__ == "__main__":
    raise SystemExit(main())
