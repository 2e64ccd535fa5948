"""The base stations of all carriers, as far as they have power.

    GET /signal                  {area: [[from, to], …]} of every area that is not whole: the places with a signal now
    GET /supply                  {supply: {"areas": […], "dark_s": …, "lasting": …, "brought": {means: share}}}
    PUT /supply                  {"dark": supply, "important": 0.2, "others_s": …} or {"lit": supply}: power goes, comes
    PUT /means                   {"to": supply, "means": "ship", "reaches": 0.3}: it is brought there
    GET /health

SUPPLIES are the areas of power supply and the agency's areas in each: `hokkaido=100,101;…`. CLOCK_SCALE is drill
seconds to a real second: batteries last on the drill's clock.

    power.json                   what has no power, and what was brought, on disk before it is acknowledged
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from aiohttp import web

from topology.platform import durable
from topology.platform.place import Place
from topology.world.radio.coverage import Batteries, Brought, Supply, supplies
from topology.world.site import http_port, run, say, serve

Clock = Callable[[], float]


class BaseStations:
    """The HTTP side. `now_s` is the world's clock, which goes on while this is not there."""

    def __init__(self, file: Path, supplies: Mapping[str, Supply], now_s: Clock) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._file, self._now_s = file, now_s
        self.supplies = dict(supplies)
        if file.exists():
            for name, kept in json.loads(file.read_bytes()).items():
                if name in self.supplies:
                    self.supplies[name] = _supply(self.supplies[name], kept)

    def app(self) -> web.Application:
        app = web.Application()
        app.add_routes(
            [
                web.get("/signal", self._signal),
                web.get("/supply", self._tell),
                web.put("/supply", self._power),
                web.put("/means", self._bring),
                web.get("/health", self._health),
            ]
        )
        return app

    async def _signal(self, _: web.Request) -> web.Response:
        now_s = self._now_s()
        told = {
            area: signal
            for supply in self.supplies.values()
            if (signal := supply.signal(now_s)) != ((0.0, 1.0),)
            for area in supply.areas
        }
        return web.json_response(told)

    async def _tell(self, _: web.Request) -> web.Response:
        now_s = self._now_s()
        return web.json_response({name: _told(supply, now_s) for name, supply in self.supplies.items()})

    async def _power(self, request: web.Request) -> web.Response:
        def change(asked: dict[str, Any]) -> Supply:
            if "lit" in asked:
                return self.supplies[asked["lit"]].lit()
            batteries = Batteries(float(asked["important"]), float(asked["others_s"]))
            return self.supplies[asked["dark"]].darkened(batteries, self._now_s())

        return await self._changed(request, change)

    async def _bring(self, request: web.Request) -> web.Response:
        def change(asked: dict[str, Any]) -> Supply:
            return self.supplies[asked["to"]].with_means(str(asked["means"]), float(asked["reaches"]))

        return await self._changed(request, change)

    async def _changed(
        self, request: web.Request, change: Callable[[dict[str, Any]], Supply]
    ) -> web.Response:
        try:
            changed = change(await request.json())
        except (ValueError, KeyError, TypeError) as error:
            return web.json_response({"why": f"{type(error).__name__}: {error}"}, status=400)
        supplies = {**self.supplies, changed.name: changed}
        try:
            kept = {name: asdict(supply) for name, supply in supplies.items()}
            durable.write(self._file, json.dumps(kept).encode())
        except OSError as error:
            return web.json_response({"why": f"disk: {error.strerror}"}, status=503)
        self.supplies = supplies
        say(f"{changed.name}: {_told(changed, self._now_s())}")
        return await self._tell(request)

    async def _health(self, _: web.Request) -> web.Response:
        return web.Response(text="ok\n")


def _told(supply: Supply, now_s: float) -> dict[str, object]:
    dark_s = None if supply.dark_since_s is None else now_s - supply.dark_since_s
    lasting = supply.batteries.lasting(dark_s) if supply.batteries and dark_s is not None else 1.0
    brought = {each.means: each.reaches for each in supply.brought}
    return {"areas": supply.areas, "dark_s": dark_s, "lasting": lasting, "brought": brought}


def _supply(supply: Supply, kept: dict[str, Any]) -> Supply:
    """As it was when it was written down."""
    batteries = Batteries(**kept["batteries"]) if kept["batteries"] else None
    brought = tuple(Brought(**each) for each in kept["brought"])
    return Supply(supply.name, supply.areas, batteries, kept["dark_since_s"], brought)


def program() -> Coroutine[None, None, None]:
    """Raises ValueError for settings that cannot be read."""
    scale = float(os.environ.get("CLOCK_SCALE", "1"))
    file = Place.here().data / "power.json"
    known = supplies(os.environ.get("SUPPLIES", ""))
    stations = BaseStations(file, known, lambda: time.monotonic() * scale)
    return serve(stations.app(), http_port(), f", {len(known)} areas of supply")


def main() -> int:
    return run(program)


if __name__ == "__main__":
    raise SystemExit(main())
