"""Names over the wire: UDP, and TCP for those who ask that way (RFC 7766), on the same port."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final, TypeAlias, cast

#: A message in, a message out; None for nothing to say. The flag: over TCP.
Answer: TypeAlias = Callable[[bytes, bool], Awaitable[bytes | None]]

#: What one node has in hand at a time; more is dropped, and senders ask again.
_MOST_AT_ONCE: Final = 512
_MOST_CONNECTIONS: Final = 64
_TRIES: Final = 10
#: A connection that says nothing for so long is closed.
_SILENCE_S: Final = 2.0


@asynccontextmanager
async def serve(answer: Answer, port: int) -> AsyncIterator[int]:
    """Serve on all addresses, and give the port (which the system chose, if it was asked for 0).

    Raises OSError when the port is taken.
    """
    connections, loop = _Connections(answer), asyncio.get_running_loop()
    for tries_left in reversed(range(1 if port else _TRIES)):
        server = await asyncio.start_server(connections.serve, "0.0.0.0", port)
        chosen = server.sockets[0].getsockname()[1]
        try:
            transport, _ = await loop.create_datagram_endpoint(
                lambda: _Datagrams(answer), local_addr=("0.0.0.0", chosen)
            )
            break
        except OSError:  # of two protocols the system can choose a port for one only
            server.close()
            if not tries_left:
                raise
    try:
        yield chosen
    finally:
        transport.close()
        server.close()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._tasks: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if len(self._tasks) >= _MOST_AT_ONCE:
            return
        task = asyncio.get_running_loop().create_task(self._serve(data, addr))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, data: bytes, addr: tuple[str, int]) -> None:
        reply = await self._answer(data, False)
        if reply is not None and not self._transport.is_closing():
            self._transport.sendto(reply, addr)


class _Connections:
    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._open = 0

    async def serve(self, incoming: asyncio.StreamReader, outgoing: asyncio.StreamWriter) -> None:
        self._open += 1
        try:
            if self._open <= _MOST_CONNECTIONS:
                with suppress(OSError, EOFError, TimeoutError):
                    await self._talk(incoming, outgoing)
        finally:
            self._open -= 1
            outgoing.close()

    async def _talk(self, incoming: asyncio.StreamReader, outgoing: asyncio.StreamWriter) -> None:
        """One message after the other, each behind its length in two bytes."""
        while True:
            async with asyncio.timeout(_SILENCE_S):
                length = int.from_bytes(await incoming.readexactly(2))
                message = await incoming.readexactly(length)
            reply = await self._answer(message, True)
            if reply is None:
                return
            outgoing.write(len(reply).to_bytes(2) + reply)
            async with asyncio.timeout(_SILENCE_S):
                await outgoing.drain()
