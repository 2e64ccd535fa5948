"""A block of MAPS: the virtual servers that a handset needs to be let in, and to find anything: authentication and DNS.

    POST /sessions               {"subscriber": n, "proof": …}: 201 {"session": …, "block": …, "address": …,
                                 "subscriber": whom that address stands for}; 403 for a card that is not known, 503
                                 without storage, or when too many came before
    UDP and TCP 53               names; silent without storage, as a server whose disk is gone
    GET /state                   which path is used, and how busy it is
    GET /health                  200, or 503 with what the storage said last

PATHS are the storage controllers, DETECTOR how it is seen that a path has failed: `writes`, or `answers`, which is the
bug. SESSIONS_AT_ONCE (4), SESSION_SETUP_MS (50) and SESSION_PATIENCE_MS (3000) are what it can do; SESSIONS_WAITING, if
it is given, how many may wait for it. LET_IN_AFTER_MS, if it is given, is how long a handset waits until it is let in
without its address having been registered, which is the other bug. SIM_KEY is what its subscribers' cards are made
with, DNS_SERVER where names are looked up.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass

from aiohttp import web

from topology.platform.dns_wire import serve as serve_names
from topology.platform.place import Place, names
from topology.platform.resolver import Resolver
from topology.platform.resolver_upstream import DNS_PORT, Upstream
from topology.world.maps.detector import LOOKS_AT, Detector, Look
from topology.world.maps.paths import Path, Storage, client
from topology.world.maps.sessions import Capacity, NotAdmitted, Sessions
from topology.world.site import http, http_port, run, say, stop_signal

#: How often the virtual servers write something of their own; real seconds.
BEAT_S = 0.2


class Block:
    """The HTTP and the DNS side of a block."""

    def __init__(
        self, name: str, storage: Storage, detector: Detector, sessions: Sessions, resolver: Resolver
    ) -> None:
        self._name = name
        self._storage, self._detector = storage, detector
        self._sessions, self._resolver = sessions, resolver

    def app(self) -> web.Application:
        app = web.Application()
        app.add_routes(
            [
                web.post("/sessions", self._open),
                web.get("/state", self._state),
                web.get("/health", self._health),
            ]
        )
        return app

    async def answer(self, wire: bytes, tcp: bool) -> bytes | None:
        return None if self._storage.fault else await self._resolver.answer(wire, tcp)

    async def _open(self, request: web.Request) -> web.Response:
        try:
            told = await request.json()
            subscriber, shown = int(told["subscriber"]), str(told["proof"])
        except (ValueError, KeyError, TypeError):
            return web.json_response({"why": 'expected {"subscriber": n, "proof": …}'}, status=400)
        try:
            session = await self._sessions.open(subscriber, shown)
        except NotAdmitted as refused:
            return web.json_response({"why": refused.why}, status=refused.status)
        told_back = {"session": session.name, "block": self._name, "address": str(session.address)}
        return web.json_response({**told_back, "subscriber": session.taken_for}, status=201)

    async def _state(self, _: web.Request) -> web.Response:
        sessions = self._sessions
        return web.json_response(
            {
                "path": self._storage.used.name,
                "fault": self._storage.fault,
                "switched": self._detector.switched,
                "waiting": sessions.waiting,
                "opened": sessions.opened,
                "refused": sessions.refused,
                "unregistered": sessions.unregistered,
                "p95_s": sessions.p95_s,
            }
        )

    async def _health(self, _: web.Request) -> web.Response:
        fault = self._storage.fault
        return web.Response(status=503 if fault else 200, text=f"storage: {fault}\n" if fault else "ok\n")


@dataclass(frozen=True)
class Settings:
    """What a block is made of. Raises ValueError for what cannot be read."""

    paths: tuple[str, ...]
    look: Look
    key: str
    capacity: Capacity
    upstream: Upstream

    @classmethod
    def here(cls) -> Settings:
        environment = os.environ
        word = environment.get("DETECTOR", "writes")
        if word not in LOOKS_AT:
            raise ValueError(f"DETECTOR: expected one of {', '.join(LOOKS_AT)}, found {word!r}")
        return cls(
            paths=names("PATHS"),
            look=LOOKS_AT[word],
            key=environment.get("SIM_KEY", ""),
            capacity=Capacity(
                int(environment.get("SESSIONS_AT_ONCE", "4")),
                float(environment.get("SESSION_SETUP_MS", "50")) / 1000,
                float(environment.get("SESSION_PATIENCE_MS", "3000")) / 1000,
                int(environment["SESSIONS_WAITING"]) if "SESSIONS_WAITING" in environment else None,
                float(environment["LET_IN_AFTER_MS"]) / 1000 if "LET_IN_AFTER_MS" in environment else None,
            ),
            upstream=Upstream.parse(environment.get("DNS_SERVER", "dns")),
        )


async def serve(name: str, settings: Settings, port: int, dns_port: int) -> None:
    """Let handsets in until told to stop. Raises OSError if a port is taken."""
    stopping = stop_signal()
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(client())
        storage = Storage([Path(path, session) for path in settings.paths])
        detector = Detector(storage, settings.look)
        for work in (storage.keep_writing(BEAT_S), detector.watch()):
            stack.callback(asyncio.ensure_future(work).cancel)
        sessions = Sessions(name, settings.key, settings.capacity, storage)
        block = Block(name, storage, detector, sessions, Resolver(settings.upstream, 0.0))
        dns_port = await stack.enter_async_context(serve_names(block.answer, dns_port))
        port = await stack.enter_async_context(http(block.app(), port))
        say(f"ready: http {port}, dns {dns_port}, storage by {storage.used.name}")
        await stopping.wait()


def program() -> Coroutine[None, None, None]:
    """Raises ValueError for settings that cannot be read."""
    dns_port = int(os.environ.get("DNS_PORT", str(DNS_PORT)))
    return serve(Place.here().node, Settings.here(), http_port(), dns_port)


def main() -> int:
    return run(program)


if __name__ == "__main__":
    raise SystemExit(main())
