"""How every program of the service runs: an HTTP server, its endless work beside it, and an orderly end.

Starlette under Granian, embedded in this process: no second interpreter is started, so a node is up within the second.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import uvloop
from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from topology.service.settings import Settings

log: Final = logging.getLogger("node")

CONNECTIONS: Final = 1024
ENDS_WITHIN_S: Final = 4.0


@dataclass(frozen=True)
class Program:
    """`healthy` says whether the node can do its job now; `work` are coroutines that never end by themselves."""

    healthy: Callable[[], bool]
    routes: Sequence[BaseRoute] = ()
    work: Sequence[Coroutine[Any, Any, None]] = field(default=())
    errors: dict[Any, Callable[[Request, Exception], Awaitable[Response]]] = field(default_factory=dict)


Opening: TypeAlias = Callable[[Settings], AbstractAsyncContextManager[Program]]


def run(opening: Opening) -> int:
    """Run a program until SIGTERM or SIGINT (0), or until a part of it ends by itself (1)."""
    logging.basicConfig(
        stream=sys.stdout, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    return uvloop.run(_run(opening, Settings.from_environment()))


async def _run(opening: Opening, settings: Settings) -> int:
    asked_to_end = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked_to_end.set)
    async with opening(settings) as program:
        server = _server(program, settings)
        parts = [asyncio.create_task(part) for part in (server.serve(), *program.work)]
        end = asyncio.create_task(asked_to_end.wait())
        log.info("%s listens on %s:%d", settings.node, settings.bind, settings.port)
        await asyncio.wait([end, *parts], return_when=asyncio.FIRST_COMPLETED)
        failed = [part for part in parts if part.done()]
        for part in failed:
            log.error("a part of the program ended by itself", exc_info=part.exception())
        await _end(server, parts)
    return 1 if failed else 0


async def _end(server: Server, parts: list[asyncio.Task[None]]) -> None:
    """Let requests under way finish, then stop the rest."""
    serving, *work = parts
    for task in work:
        task.cancel()
    server.stop()  # type: ignore[no-untyped-call]
    with suppress(TimeoutError):
        async with asyncio.timeout(ENDS_WITHIN_S):
            await asyncio.gather(serving, *work, return_exceptions=True)


def _server(program: Program, settings: Settings) -> Server:
    async def health(_request: Request) -> Response:
        healthy = program.healthy()
        return PlainTextResponse("ok\n" if healthy else "not now\n", 200 if healthy else 503)

    return Server(
        Starlette(routes=[Route("/health", health), *program.routes], exception_handlers=program.errors),
        address=settings.bind,
        port=settings.port,
        interface=Interfaces.ASGINL,
        http=HTTPModes.http1,
        websockets=False,
        backlog=CONNECTIONS,
        backpressure=CONNECTIONS,
        log_enabled=False,
    )
