"""Asking by one door and then by another: what a synthetic user does, on asyncio."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from harness.load.http1 import MalformedError, NotSentError, Reader, Reply, UnansweredError

#: How long a synthetic user waits for one door, and for all of it, in seconds.
TRY_S: Final = 0.7
DEADLINE_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class Door:
    """One of several ways to the same thing. `name` is what the history calls the endpoint."""

    name: str
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Judged:
    """What a reply is worth: `detail` is empty when it is what was wanted.

    `elsewhere`: another door may do better. `lingering`: what was asked for may have been done all the same.
    """

    detail: str = ""
    value: int = 0
    elsewhere: bool = False
    lingering: bool = False


Judge: TypeAlias = Callable[[Reply], Judged]


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of asking. `lingering`: a try may have had its effect unseen, or may have it even later."""

    outcome: str
    endpoint: str
    value: int = 0
    detail: str | None = None
    lingering: bool = False


async def ask(doors: Sequence[Door], first: int, request: bytes, judge: Judge) -> Asked:
    """Ask at the first door, at the next when that one fails, and at the first again if there is time left.

    Only a door that kept silent is worth coming back to: one that refused will refuse.
    """
    loop = asyncio.get_running_loop()
    deadline_s = loop.time() + DEADLINE_S
    lingering = silent = False
    door, detail = doors[first % len(doors)], "not asked"
    for turn in range(len(doors) + 1):
        left_s = deadline_s - loop.time()
        if left_s <= 0 or (turn == len(doors) and not silent):
            break
        door = doors[(first + turn) % len(doors)]
        try:
            judged = judge(await exchange(door, request, min(TRY_S, left_s)))
        except NotSentError as error:
            detail = str(error)
            silent |= detail == "timeout"
        except UnansweredError as error:
            detail, lingering, silent = str(error), True, True
        else:
            if not judged.detail:
                return Asked("ok", door.name, judged.value, lingering=lingering)
            if not judged.elsewhere:
                return Asked("fail", door.name, judged.value, judged.detail, lingering)
            detail = judged.detail
            lingering |= judged.lingering
    return Asked("info" if lingering else "fail", door.name, 0, detail, lingering)


async def exchange(door: Door, request: bytes, within_s: float) -> Reply:
    """One request on a connection of its own. Raises NotSentError or UnansweredError."""
    conversation = _Conversation(request)
    try:
        async with asyncio.timeout(within_s):
            await asyncio.get_running_loop().create_connection(lambda: conversation, door.host, door.port)
            return await conversation.reply
    except TimeoutError:
        raise conversation.failure("timeout") from None
    except (EOFError, MalformedError) as error:
        raise conversation.failure(str(error)) from None
    except OSError as error:
        raise conversation.failure(_word(error)) from None
    finally:
        conversation.close()


def _word(error: OSError) -> str:
    words = {errno.ECONNREFUSED: "refused", errno.ECONNRESET: "reset", errno.EPIPE: "reset"}
    return words.get(error.errno or 0, (error.strerror or type(error).__name__).lower())


class _Conversation(asyncio.Protocol):
    """Sends the request as soon as it is connected; `reply` is done when the reply is whole or cannot be."""

    def __init__(self, request: bytes) -> None:
        self.reply: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._request = request
        self._reader = Reader()
        self._transport: asyncio.Transport | None = None

    def failure(self, why: str) -> NotSentError | UnansweredError:
        return NotSentError(why) if self._transport is None else UnansweredError(why)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
        if not self.reply.done():
            self.reply.cancel()
        elif not self.reply.cancelled():
            self.reply.exception()  # seen, even where a time-out came first

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(self._request)

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
