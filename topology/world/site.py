"""What every program of the world does to be a node: serve HTTP, say so, stop when told to."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager

from aiohttp import web

_LAST_REQUESTS_S = 1.0


def http_port() -> int:
    """PORT, or 8000. Raises ValueError if it is not a number."""
    return int(os.environ.get("PORT", "8000"))


@asynccontextmanager
async def http(app: web.Application, port: int) -> AsyncIterator[int]:
    """Serve the application on all addresses, and give the port (which the system chose, if it was asked for 0)."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_LAST_REQUESTS_S)
    await runner.setup()
    try:
        await web.TCPSite(runner, "0.0.0.0", port).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


def health(fault: OSError | None) -> web.Response:
    """200, or 503 with what the disk said last."""
    return (
        web.Response(text="ok\n")
        if fault is None
        else web.Response(status=503, text=f"disk: {fault.strerror}\n")
    )


def say(line: str) -> None:
    """One line for the node's log."""
    print(line, flush=True)


def stop_signal() -> asyncio.Event:
    """An event that SIGTERM or SIGINT sets."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    return stopping


async def serve(app: web.Application, port: int, ready: str = "") -> None:
    """An application until told to stop; `ready` is said of it beside its port. Raises OSError if the port is taken."""
    stopping = stop_signal()
    async with http(app, port) as taken:
        say(f"ready: http {taken}{ready}")
        await stopping.wait()


def run(program: Callable[[], Coroutine[None, None, None]]) -> int:
    """Run what `program` makes of its settings to its end, on uvloop; the exit status.

    One line says so if settings cannot be read (ValueError), or a port is taken or a disk refuses (OSError).
    """
    import uvloop

    try:
        started = program()
    except ValueError as error:
        say(f"cannot start: {error}")
        return 2
    try:
        uvloop.run(started)
    except OSError as error:
        say(f"cannot go on: {error}")
        return 1
    return 0
