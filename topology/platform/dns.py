"""The name server: authoritative for the service's domain, outside its regions.

    UDP and TCP 53     A: the addresses of the active region's healthy balancers, to be believed for TTL_S seconds
    GET /active        {"region": r}
    PUT /active        {"region": r}: from now on the name leads there; on disk before it is answered
    GET /answers       what is answered now, and why
    GET /health

REGIONS names the balancers of each region: "singapore=balancer-a,balancer-b;tokyo=balancer-t". The first one is
active at first. A region whose balancers have no address is not there; the name cannot be led to it.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Final

from aiohttp import web

from topology.platform import durable
from topology.platform.balancer_configuration import HTTP_PORT
from topology.platform.dns_health import Checks, Choice, choose
from topology.platform.dns_message import BadQuery, read
from topology.platform.dns_wire import serve as serve_names
from topology.platform.dns_zone import Zone
from topology.platform.place import Place
from topology.world.site import http, http_port, run, say, stop_signal

DNS_PORT: Final = 53
_SERIALS: Final = 2**32


class NoSuchRegion(Exception):
    """The name cannot be led there; the text says why."""


class Active:
    """The region that the name leads to, on disk. Raises OSError when the disk refuses."""

    def __init__(self, file: Path, first: str) -> None:
        self._file = file
        self.region = first
        if file.exists():
            self.region = str(json.loads(file.read_bytes())["region"])

    def set(self, region: str) -> None:
        """Durable when this returns."""
        durable.write(self._file, json.dumps({"region": region}).encode())
        self.region = region


class Names:
    """Answers queries, and says over HTTP what it answers."""

    def __init__(self, zone: Zone, checks: Checks, active: Active) -> None:
        self._zone, self._checks, self._active = zone, checks, active
        self._serial = 0
        self._choice = Choice((), "")

    def choose(self) -> None:
        """Choose anew what is answered. Every change makes a new serial."""
        choice = choose(self._checks.regions.get(self._active.region, ()))
        if choice != self._choice:
            self._serial = max(self._serial + 1, int(time.time())) % _SERIALS
            say(f"{self._zone.domain}: {self._active.region}: {choice.why}")
        self._choice = choice

    async def answer(self, wire: bytes, tcp: bool) -> bytes | None:
        try:
            query = read(wire)
        except BadQuery as bad:
            return bad.reply
        return query.wire(self._zone.answer(query, self._choice.addresses, self._serial), tcp)

    def move(self, region: str) -> None:
        """Lead the name to a region. Raises NoSuchRegion, and OSError when it cannot be kept on disk."""
        if region not in self._checks.regions:
            raise NoSuchRegion(f"there is no region {region!r}, only {', '.join(self._checks.regions)}")
        if not choose(self._checks.regions[region]).addresses:
            raise NoSuchRegion(f"no balancer of {region} has an address")
        self._active.set(region)
        self.choose()

    def app(self) -> web.Application:
        app = web.Application()
        app.add_routes(
            [
                web.get("/health", self._health),
                web.get("/active", self._get_active),
                web.put("/active", self._put_active),
                web.get("/answers", self._answers),
            ]
        )
        return app

    async def _health(self, _: web.Request) -> web.Response:
        if not self._choice.addresses:
            return web.Response(status=503, text=f"{self._choice.why}\n")
        return web.Response(text="ok\n")

    async def _get_active(self, _: web.Request) -> web.Response:
        return web.json_response({"region": self._active.region})

    async def _put_active(self, request: web.Request) -> web.Response:
        try:
            region = json.loads(await request.read())["region"]
            self.move(region)
        except (ValueError, KeyError, TypeError):
            return web.json_response({"why": 'expected {"region": name}'}, status=400)
        except NoSuchRegion as error:
            return web.json_response({"why": str(error)}, status=409)
        except OSError as error:
            return web.json_response({"why": f"disk: {error.strerror}"}, status=503)
        return web.json_response({"region": self._active.region})

    async def _answers(self, _: web.Request) -> web.Response:
        regions = {
            region: [
                {"name": one.name, "address": one.address, "healthy": one.healthy, "said": one.said}
                for one in balancers
            ]
            for region, balancers in self._checks.regions.items()
        }
        told = {"region": self._active.region, **asdict(self._choice), "ttl_s": self._zone.ttl_s}
        return web.json_response({"name": self._zone.domain, **told, "regions": regions})


def regions(text: str) -> Mapping[str, Sequence[str]]:
    """`here=one,two;there=three` as the balancers of each region. Raises ValueError for anything else."""
    found: dict[str, Sequence[str]] = {}
    for part in text.split(";"):
        region, _, names = (each.strip() for each in part.partition("="))
        if not region:
            raise ValueError(f"REGIONS: expected region=balancer,balancer;…, found {text!r}")
        found[region] = [name.strip() for name in names.split(",") if name.strip()]
    return found


async def serve(place: Place, zone: Zone, checks: Checks, port: int, dns_port: int) -> None:
    """Answer until told to stop. Raises OSError if a port is taken or the disk cannot be used."""
    stopping = stop_signal()
    active = Active(place.data / "active.json", next(iter(checks.regions)))
    names = Names(zone, checks, active)
    async with AsyncExitStack() as stack:
        checking = asyncio.create_task(checks.run(names.choose))
        stack.callback(checking.cancel)
        dns_port = await stack.enter_async_context(serve_names(names.answer, dns_port))
        port = await stack.enter_async_context(http(names.app(), port))
        say(f"ready: http {port}, dns {dns_port}, {zone.domain} in {active.region}")
        await stopping.wait()


def main() -> int:
    place, environment = Place.here(), os.environ
    own = ""
    with suppress(OSError):
        own = socket.gethostbyname(place.node)
    return run(
        lambda: serve(
            place,
            Zone(environment.get("DOMAIN", "anpi.example"), int(environment.get("TTL_S", "10")), own),
            Checks(
                regions(environment.get("REGIONS", "")),
                int(environment.get("BALANCER_PORT", str(HTTP_PORT))),
            ),
            http_port(),
            int(environment.get("DNS_PORT", str(DNS_PORT))),
        )
    )


if __name__ == "__main__":
    raise SystemExit(main())
