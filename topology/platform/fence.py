"""The fence: the one register of which region may write. It stands outside the regions.

GET /writable   {"region": "singapore", "epoch": 3}; region null: nobody may write, the last one is fenced
                ?after=3: as soon as the epoch is not 3 any more, at the latest after 1 s
PUT /writable   {"region": …, "epoch": n + 1}; 200 with the new state once it is on disk
                400 what cannot be read; 409 {"error": why, "region": …, "epoch": …} what is refused; 503 disk
GET /health

The register moves one step at a time. A change names the epoch that follows the present one, so of two who change it
at once only one does. A region is made writable only when nobody is: whoever moves the service first takes the right
from the one (null), sees that it writes no more, and then gives it to the other. Once the right is given, the databases
of that region promote themselves, and all others follow them; see `guard`.

WRITABLE is who may write as long as the register was never changed. REGIONS, if given, are the only ones it can name.

writable.json   {"region": …, "epoch": n}, written whole and synced before anything is answered
"""

from __future__ import annotations

import asyncio
import json
import os
from contextlib import AsyncExitStack, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from aiohttp import web

from topology.platform import durable
from topology.platform.place import Place
from topology.world.site import health, http, http_port, run, say, stop_signal

FILE: Final = "writable.json"
LARGEST: Final = 4096
#: Who waits for a change is answered after this without one.
WAITS_S: Final = 1.0


class Unreadable(ValueError):
    """A request that is none: what was expected."""


class Refused(Exception):
    """A change that the register does not make: why."""


@dataclass(frozen=True)
class Writable:
    """`region`: who may write, None for nobody. `epoch`: how often that has changed."""

    region: str | None
    epoch: int


class Register:
    """Raises OSError where its disk cannot be used, ValueError for a file that is none of its own."""

    def __init__(self, path: Path, first: str | None, regions: frozenset[str] = frozenset()) -> None:
        self._path = path
        self._regions = regions
        self.now = _read(path.read_bytes()) if path.exists() else Writable(first, 0)

    def change(self, to: Writable) -> None:
        """On disk when this returns. Raises Refused, OSError."""
        if to.epoch != self.now.epoch + 1:
            raise Refused(f"epoch {to.epoch} does not follow {self.now.epoch}")
        if to.region is not None and self.now.region is not None:
            raise Refused(f"{self.now.region} may write; it must be fenced (region null) first")
        if to.region is None and self.now.region is None:
            raise Refused("nobody may write; there is nobody to fence")
        if to.region is not None and self._regions and to.region not in self._regions:
            raise Refused(f"there is no region {to.region}")
        durable.write(self._path, json.dumps(asdict(to)).encode())
        self.now = to


def _read(body: bytes) -> Writable:
    """Raises Unreadable."""
    expected = 'expected {"region": name or null, "epoch": whole number}'
    try:
        given = json.loads(body)
    except ValueError:
        raise Unreadable(expected) from None
    if not isinstance(given, dict) or set(given) != {"region", "epoch"}:
        raise Unreadable(expected)
    region, epoch = given["region"], given["epoch"]
    if not (region is None or (isinstance(region, str) and region)):
        raise Unreadable(expected)
    if not isinstance(epoch, int) or isinstance(epoch, bool) or epoch < 0:
        raise Unreadable(expected)
    return Writable(region, epoch)


class Fence:
    """The register's HTTP side. What it does it does in one go, so no two changes mix."""

    def __init__(self, register: Register) -> None:
        self._register = register
        self._changed = asyncio.Event()

    def app(self) -> web.Application:
        app = web.Application(client_max_size=LARGEST)
        app.add_routes(
            [
                web.get("/writable", self.show),
                web.put("/writable", self.change),
                web.get("/health", self.health),
            ]
        )
        return app

    async def show(self, request: web.Request) -> web.Response:
        if request.query.get("after") == str(self._register.now.epoch):
            with suppress(TimeoutError):
                async with asyncio.timeout(WAITS_S):
                    await self._changed.wait()
        return web.json_response(asdict(self._register.now))

    async def change(self, request: web.Request) -> web.Response:
        try:
            self._register.change(_read(await request.read()))
        except Unreadable as error:
            return web.json_response({"error": str(error)}, status=400)
        except Refused as refused:
            return web.json_response({"error": str(refused), **asdict(self._register.now)}, status=409)
        except OSError as error:
            return web.json_response({"error": f"disk: {error.strerror}"}, status=503)
        self._changed.set()  # everybody who waits for this one; the next wait for the next
        self._changed = asyncio.Event()
        now = self._register.now
        say(f"epoch {now.epoch}: {now.region or 'nobody'} may write")
        return web.json_response(asdict(now))

    async def health(self, _: web.Request) -> web.Response:
        return health(None)


async def serve(register: Register, port: int) -> None:
    stopping = stop_signal()
    async with AsyncExitStack() as stack:
        port = await stack.enter_async_context(http(Fence(register).app(), port))
        say(f"ready: http {port}; {register.now.region or 'nobody'} may write")
        await stopping.wait()


def main() -> int:
    regions = frozenset(name for name in os.environ.get("REGIONS", "").split(",") if name)
    path, first = Place.here().data / FILE, os.environ.get("WRITABLE") or None
    return run(lambda: serve(Register(path, first, regions), http_port()))


if __name__ == "__main__":
    raise SystemExit(main())
