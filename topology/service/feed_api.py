"""The feed API: telegrams from the feed's database to whoever asks, in an order that never changes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from topology.service import serving
from topology.service.database import Database, NoTables, Unavailable
from topology.service.report import as_json, from_row
from topology.service.serving import Program
from topology.service.settings import Settings

AT_A_TIME: Final = 200
_AFTER: Final = """
    SELECT number, kind, event, info, status, reported, serial, areas::text, tsunami, special, received_at_ns
    FROM telegrams WHERE number > $1 ORDER BY number LIMIT $2
"""


class FeedApi:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def telegrams(self, request: Request) -> Response:
        """`after`: the last number that the asker knows. Without more to tell, `last` is that number."""
        text = request.query_params.get("after", "0")
        if not (text.isascii() and text.isdigit() and len(text) < 19):
            return JSONResponse({"error": f"after={text[:40]} is not a number"}, 400)
        after = int(text)
        try:
            rows = await self._database.read(_AFTER, after, AT_A_TIME)
        except NoTables:
            rows = []
        found = [as_json(from_row(dict(row))) for row in rows]
        return JSONResponse({"telegrams": found, "last": found[-1]["number"] if found else after})


async def unavailable(_request: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, 503, headers={"Retry-After": "1"})


@asynccontextmanager
async def opening(settings: Settings) -> AsyncIterator[Program]:
    async with Database(settings) as database:
        routes = [Route("/telegrams", FeedApi(database).telegrams)]
        yield Program(
            lambda: database.readable or database.standing_by, routes, errors={Unavailable: unavailable}
        )


def main() -> int:
    return serving.run(opening)
