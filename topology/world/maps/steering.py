"""Where the radio network finds the block that serves an area.

    GET /areas                   {"blocks": […], "each": n, "serving": [block of area 0, …], "reattach": …}
    PUT /areas                   {"widen": block, "of": block, "areas": n}: it serves n of the other one's areas now;
                                 {"return": block}: that block serves all of its own again; 409 for what cannot be
    GET /health

BLOCKS are the blocks, AREAS_EACH (10) how many areas each is the home of: settings. REATTACH: whether handsets that are
not let in turn to the block that serves their area now `by-itself`, or only when their owner starts them anew,
`by-hand`.

    areas.json                   what serves what, on disk before it is acknowledged
"""

from __future__ import annotations

import json
import os
from collections.abc import Coroutine
from pathlib import Path
from typing import Final

from aiohttp import web

from topology.platform import durable
from topology.platform.place import Place, names
from topology.world.maps.areas import Areas, NoSuchArea
from topology.world.site import http_port, run, say, serve

REATTACH: Final = ("by-itself", "by-hand")


class Steering:
    """The HTTP side."""

    def __init__(self, file: Path, areas: Areas, reattach: str) -> None:
        if reattach not in REATTACH:
            raise ValueError(f"REATTACH: expected one of {', '.join(REATTACH)}, found {reattach!r}")
        file.parent.mkdir(parents=True, exist_ok=True)
        self._file, self._reattach = file, reattach
        self.areas = areas
        if file.exists():
            kept = tuple(json.loads(file.read_bytes())["serving"])
            if len(kept) == len(areas.serving) and set(kept) <= set(areas.blocks):
                self.areas = Areas(areas.blocks, areas.each, kept)

    def app(self) -> web.Application:
        app = web.Application()
        app.add_routes(
            [
                web.get("/areas", self._tell),
                web.put("/areas", self._change),
                web.get("/health", self._health),
            ]
        )
        return app

    async def _tell(self, _: web.Request) -> web.Response:
        areas = self.areas
        told = {"blocks": areas.blocks, "each": areas.each, "serving": areas.serving}
        return web.json_response({**told, "reattach": self._reattach})

    async def _change(self, request: web.Request) -> web.Response:
        try:
            changed = self._changed(await request.json())
        except (ValueError, KeyError, TypeError):
            why = 'expected {"widen": block, "of": block, "areas": n} or {"return": block}'
            return web.json_response({"why": why}, status=400)
        except NoSuchArea as error:
            return web.json_response({"why": str(error)}, status=409)
        try:
            durable.write(self._file, json.dumps({"serving": changed.serving}).encode())
        except OSError as error:
            return web.json_response({"why": f"disk: {error.strerror}"}, status=503)
        self.areas = changed
        return await self._tell(request)

    def _changed(self, asked: dict[str, object]) -> Areas:
        if "return" in asked:
            return self.areas.returned(str(asked["return"]))
        count = asked["areas"]
        if not isinstance(count, int) or isinstance(count, bool) or count < 0:
            raise ValueError(f"areas: expected a number, found {count!r}")
        changed = self.areas.widened(str(asked["widen"]), str(asked["of"]), count)
        if changed != self.areas:
            say(f"{asked['widen']} serves {count} areas of {asked['of']}")
        return changed

    async def _health(self, _: web.Request) -> web.Response:
        return web.Response(text="ok\n")


def program() -> Coroutine[None, None, None]:
    """Raises ValueError for settings that cannot be read."""
    environment = os.environ
    areas = Areas.at_home(names("BLOCKS"), int(environment.get("AREAS_EACH", "10")))
    file = Place.here().data / "areas.json"
    return serve(Steering(file, areas, environment.get("REATTACH", REATTACH[0])).app(), http_port())


def main() -> int:
    return run(program)


if __name__ == "__main__":
    raise SystemExit(main())
