"""HTTP over one connection, on asyncio, for as little processor time as can be had."""

from __future__ import annotations

import asyncio
import errno
from typing import cast

from harness.load.http1 import MalformedError, NotSentError, Reader, Reply, UnansweredError


async def exchange(host: str, port: int, request: bytes, within_s: float) -> Reply:
    """One request on a connection of its own. Raises NotSentError or UnansweredError."""
    connection = Connection(host, port)
    try:
        return await connection.ask(request, within_s)
    finally:
        connection.close()


class Connection:
    """A connection that is made when it is first needed, and made anew after any trouble."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._conversation: _Conversation | None = None

    async def ask(self, request: bytes, within_s: float) -> Reply:
        """Send a request and wait for its reply; one at a time. Raises NotSentError or UnansweredError."""
        try:
            async with asyncio.timeout(within_s):
                return await self._ask(request)
        except TimeoutError:
            raise self._failure("timeout") from None
        except (EOFError, MalformedError) as error:
            raise self._failure(str(error)) from None
        except OSError as error:
            raise self._failure(_word(error)) from None

    def close(self) -> None:
        if self._conversation is not None:
            self._conversation.close()
            self._conversation = None

    async def _ask(self, request: bytes) -> Reply:
        if self._conversation is not None and self._conversation.alive:
            self._conversation.say(request)
        else:
            conversation = self._conversation = _Conversation(request)
            await asyncio.get_running_loop().create_connection(lambda: conversation, self._host, self._port)
        return await self._conversation.reply

    def _failure(self, why: str) -> NotSentError | UnansweredError:
        sent = self._conversation is not None and self._conversation.connected
        self.close()
        return UnansweredError(why) if sent else NotSentError(why)


def _word(error: OSError) -> str:
    words = {errno.ECONNREFUSED: "refused", errno.ECONNRESET: "reset", errno.EPIPE: "reset"}
    return words.get(error.errno or 0, (error.strerror or type(error).__name__).lower())


class _Conversation(asyncio.Protocol):
    """Sends its first request as soon as it is connected. `reply` is done when one is whole or cannot be."""

    def __init__(self, request: bytes) -> None:
        self._first = request
        self._transport: asyncio.Transport | None = None
        self._listen()

    @property
    def connected(self) -> bool:
        """Whether it has ever been, and the first request been sent."""
        return self._transport is not None

    @property
    def alive(self) -> bool:
        """Whether it can take another request."""
        return self._transport is not None and not self._transport.is_closing()

    def say(self, request: bytes) -> None:
        assert self._transport is not None
        self._listen()
        self._transport.write(request)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
        if not self.reply.done():
            self.reply.cancel()
        elif not self.reply.cancelled():
            self.reply.exception()  # seen, even where a time-out came first

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._first)

    def data_received(self, data: bytes) -> None:
        if self.reply.done():
            return
        try:
            if self._reader.feed(data):
                self.reply.set_result(self._reader.reply)
        except MalformedError:
            self.reply.set_exception(MalformedError("malformed"))

    def connection_lost(self, exc: Exception | None) -> None:
        if self.reply.done():
            return
        if exc is not None:
            self.reply.set_exception(exc)
        elif self._reader.end():
            self.reply.set_result(self._reader.reply)
        else:
            self.reply.set_exception(EOFError("closed"))

    def _listen(self) -> None:
        self.reply: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._reader = Reader()
