"""The door: how a browser outside the replica comes in. It leads to where the service's name leads at that moment.

NAMES is the name server (`host:port`, HTTP). DOORS lists `listen:port`, or one number for both. Who comes to `listen`
is passed on to `port` of the first address of the service that lets them in. While the name server says nothing, its
last answer holds, as with any resolver.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Coroutine, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from typing import Final

from aiohttp import ClientError, ClientSession, ClientTimeout, web

from topology.world.site import http, http_port, run, say, stop_signal

ASK_WITHIN_S: Final = 2.0
CONNECT_WITHIN_S: Final = 2.0
PIECE: Final = 65536


@dataclass(frozen=True)
class Door:
    """Who comes to `listen` is led to `port`. `listen` 0: any that is free."""

    listen: int
    port: int


def doors(text: str) -> tuple[Door, ...]:
    """`8080,8443:443` as two doors. Raises ValueError for anything else."""
    pairs = [each.strip().partition(":") for each in text.split(",")]
    return tuple(Door(int(listen), int(port or listen)) for listen, _, port in pairs)


class Entrance:
    """Where the name leads, as far as is known; everybody who comes is passed on to there."""

    def __init__(self, names: str, session: ClientSession) -> None:
        self._names, self._session = names, session
        self.addresses: Sequence[str] = ()

    async def ask(self) -> None:
        """Learn anew where the name leads; what was known stays if nobody answers."""
        with suppress(ClientError, TimeoutError, ValueError, KeyError):
            async with self._session.get(f"http://{self._names}/answers") as response:
                self.addresses = tuple((await response.json())["addresses"]) or self.addresses

    async def lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
        """Pass one visitor on until both sides have said all they had to say; hung up on if nobody lets them in."""
        await self.ask()
        inside = await self._inside(port)
        if inside is None:
            writer.close()
            return
        inner_reader, inner_writer = inside
        with suppress(OSError):
            await asyncio.gather(_copy(reader, inner_writer), _copy(inner_reader, writer))
        for each in (writer, inner_writer):
            each.close()

    async def _inside(self, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        for address in self.addresses:
            with suppress(OSError):  # TimeoutError is one
                async with asyncio.timeout(CONNECT_WITHIN_S):
                    return await asyncio.open_connection(address, port)
        return None

    async def health(self, _: web.Request) -> web.Response:
        await self.ask()
        if not self.addresses:
            return web.Response(status=503, text=f"{self._names} has not yet said where the name leads\n")
        return web.Response(text="ok\n")


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while piece := await reader.read(PIECE):
            writer.write(piece)
            await writer.drain()
    finally:
        if writer.can_write_eof():
            with suppress(OSError):
                writer.write_eof()


async def serve(names: str, ways: Sequence[Door], port: int) -> None:
    """Lead people in until told to stop. Raises OSError if a port is taken."""
    stopping = stop_signal()
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(ClientSession(timeout=ClientTimeout(total=ASK_WITHIN_S)))
        entrance = Entrance(names, session)
        ports = []
        for door in ways:

            async def visitor(
                reader: asyncio.StreamReader, writer: asyncio.StreamWriter, to: int = door.port
            ) -> None:
                await entrance.lead(reader, writer, to)

            server = await asyncio.start_server(visitor, "0.0.0.0", door.listen)
            stack.callback(server.close)
            ports.append(server.sockets[0].getsockname()[1])
        app = web.Application()
        app.add_routes([web.get("/health", entrance.health)])
        port = await stack.enter_async_context(http(app, port))
        say(f"ready: http {port}, doors {' '.join(map(str, ports))}")
        await stopping.wait()


def program() -> Coroutine[None, None, None]:
    """Raises ValueError for settings that cannot be read."""
    return serve(
        os.environ.get("NAMES", "dns:8000"), doors(os.environ.get("DOORS", "8080,8443")), http_port()
    )


def main() -> int:
    return run(program)


if __name__ == "__main__":
    raise SystemExit(main())
