"""A carrier's resolver: several caches of their own, each on a port of its own, in front of the domain's name server.

    UDP and TCP 5301 …  RESOLVERS caches (10), one a port; a share of them keeps answers longer than the owner says
    GET /keeping        {"share": s, "keeps_s": t}: the first s of all caches keep answers for t seconds at least
    PUT /keeping        the same, from now on, also for what is held already
    DELETE /keeping     back to KEEPING (0.1) and KEEPS_S (30)
    GET /caches         what each of them holds
    GET /health

DNS_SERVER is `host` or `host:port` of the name server. SERVE_STALE_S (0, never): how long after its end an answer is
still given while the name server cannot be asked (RFC 8767).
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import time
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from typing import Final

import dns.message
import dns.rcode
import dns.rrset
from aiohttp import web

from topology.platform.dns_message import BadQuery, Query, read
from topology.platform.dns_wire import serve as serve_names
from topology.platform.resolver_cache import Cache, Entry, Key
from topology.platform.resolver_upstream import Unanswered, Upstream
from topology.world.site import http, http_port, run, say, stop_signal

FIRST_PORT: Final = 5301
#: The TTL of an answer that has ended (RFC 8767, 4).
STALE_TTL_S: Final = 30


@dataclass(frozen=True)
class Keeping:
    """`share` of the caches keep answers for `keeps_s` at least. Raises ValueError for what is no such thing."""

    share: float
    keeps_s: float

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise ValueError(f"share: expected 0 to 1, found {self.share!r}")
        if not 0 <= self.keeps_s < math.inf:
            raise ValueError(f"keeps_s: expected seconds, found {self.keeps_s!r}")


class Resolver:
    """One cache and those who wait for it: whatever many ask at once is looked up once."""

    def __init__(self, upstream: Upstream, stale_s: float) -> None:
        self._upstream, self._stale_s = upstream, stale_s
        self.cache = Cache()
        self._asking: dict[Key, asyncio.Task[None]] = {}

    async def answer(self, wire: bytes, tcp: bool) -> bytes | None:
        try:
            query = read(wire)
        except BadQuery as bad:
            return bad.reply
        key = (query.name, query.type)
        entry = self.cache.find(key, time.monotonic())
        if entry is None and not query.recursive:
            return query.wire(query.reply(dns.rcode.REFUSED, recursion=True), tcp)
        if entry is None:
            entry = await self._look_up(key)
        return query.wire(self._reply(query, entry), tcp)

    async def _look_up(self, key: Key) -> Entry | None:
        """The domain's own answer; an old one where that may be; None when there is neither."""
        if not self.cache.failed(key, time.monotonic()):
            asking = self._asking.get(key)
            if asking is None:
                asking = self._asking[key] = asyncio.create_task(self._ask(key))
                asking.add_done_callback(lambda _: self._asking.pop(key, None))
            await asyncio.shield(asking)
        ended_for_s = self._stale_s or -1.0
        return self.cache.find(key, time.monotonic(), ended_for_s=ended_for_s)

    async def _ask(self, key: Key) -> None:
        try:
            response = await self._upstream.ask(*key)
        except Unanswered:
            self.cache.fail(key, time.monotonic())
        else:
            self.cache.keep(key, Entry.of(response, time.monotonic()))

    def _reply(self, query: Query, entry: Entry | None) -> dns.message.Message:
        if entry is None:
            return query.reply(dns.rcode.SERVFAIL, recursion=True)
        response = query.reply(entry.rcode, recursion=True)
        left_s = self.cache.left_s(entry, time.monotonic()) or STALE_TTL_S
        for kept, section in ((entry.answer, response.answer), (entry.authority, response.authority)):
            for rrset in kept:
                section.append(dns.rrset.from_rdata_list(rrset.name, left_s, list(rrset)))
        return response


class Carrier:
    """All caches of a carrier."""

    def __init__(self, resolvers: list[Resolver], keeping: Keeping) -> None:
        self._resolvers, self._own = resolvers, keeping
        self.ports: list[int] = []
        self.keep(keeping)

    def keep(self, keeping: Keeping) -> None:
        self.keeping = keeping
        keepers = round(keeping.share * len(self._resolvers))
        for number, resolver in enumerate(self._resolvers):
            resolver.cache.keeps_s = keeping.keeps_s if number < keepers else 0.0

    def app(self) -> web.Application:
        app = web.Application()
        app.add_routes(
            [
                web.get("/health", self._health),
                web.get("/keeping", self._get_keeping),
                web.put("/keeping", self._put_keeping),
                web.delete("/keeping", self._delete_keeping),
                web.get("/caches", self._caches),
            ]
        )
        return app

    async def _health(self, _: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def _get_keeping(self, _: web.Request) -> web.Response:
        return web.json_response(asdict(self.keeping))

    async def _put_keeping(self, request: web.Request) -> web.Response:
        try:
            told = json.loads(await request.read())
            keeping = Keeping(float(told["share"]), float(told["keeps_s"]))
        except (ValueError, KeyError, TypeError) as error:
            return web.json_response({"why": str(error) or 'expected {"share": s, "keeps_s": t}'}, status=400)
        self.keep(keeping)
        return web.json_response(asdict(keeping))

    async def _delete_keeping(self, _: web.Request) -> web.Response:
        self.keep(self._own)
        return web.json_response(asdict(self._own))

    async def _caches(self, _: web.Request) -> web.Response:
        return web.json_response(
            [
                {"port": port, "keeps_s": resolver.cache.keeps_s, "holds": _held(resolver.cache)}
                for port, resolver in zip(self.ports, self._resolvers, strict=True)
            ]
        )


def _held(cache: Cache) -> list[dict[str, object]]:
    """What a cache holds that has not ended."""
    now_s = time.monotonic()
    return [
        {
            "name": str(name),
            "type": kind.name,
            "answer": [str(record) for rrset in entry.answer for record in rrset]
            or dns.rcode.to_text(entry.rcode),
            "left_s": left_s,
        }
        for (name, kind), entry in cache
        if (left_s := cache.left_s(entry, now_s)) > 0
    ]


async def serve(carrier: Carrier, resolvers: list[Resolver], port: int, first_port: int) -> None:
    """Answer until told to stop. Raises OSError if a port is taken."""
    stopping = stop_signal()
    async with AsyncExitStack() as stack:
        for number, resolver in enumerate(resolvers):
            wanted = first_port + number if first_port else 0
            carrier.ports.append(await stack.enter_async_context(serve_names(resolver.answer, wanted)))
        port = await stack.enter_async_context(http(carrier.app(), port))
        say(f"ready: http {port}, dns {' '.join(map(str, carrier.ports))}")
        await stopping.wait()


def program() -> Coroutine[None, None, None]:
    """Raises ValueError for settings that cannot be read."""
    environment = os.environ
    upstream = Upstream.parse(environment.get("DNS_SERVER", "dns"))
    count, stale_s = int(environment.get("RESOLVERS", "10")), float(environment.get("SERVE_STALE_S", "0"))
    resolvers = [Resolver(upstream, stale_s) for _ in range(count)]
    keeping = Keeping(float(environment.get("KEEPING", "0.1")), float(environment.get("KEEPS_S", "30")))
    first_port = int(environment.get("RESOLVER_PORT", str(FIRST_PORT)))
    return serve(Carrier(resolvers, keeping), resolvers, http_port(), first_port)


def main() -> int:
    return run(program)


if __name__ == "__main__":
    raise SystemExit(main())
