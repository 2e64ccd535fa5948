"""Asking by one door and then by another: what a synthetic user does, on asyncio."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias, cast

from harness.load.http1 import MalformedError, NotSentError, Reader, Reply, UnansweredError

#: How long a synthetic user waits for one door before trying the next as well, and for any of them, in seconds.
NEXT_AFTER_S: Final = 0.7
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
    """What came of asking.

    `lingering`: a try may have had its effect unseen, or may have it even later. `final`: another door would say
    the same.
    """

    outcome: str
    endpoint: str
    value: int = 0
    detail: str | None = None
    lingering: bool = False
    final: bool = True


async def ask(doors: Sequence[Door], first: int, request: bytes, judge: Judge) -> Asked:
    """Ask at the first door; when that one fails, or is silent for `NEXT_AFTER_S`, at the next one as well.

    A silent door is still waited for: whoever comes back serves those first who have waited longest, and an
    outage must not seem longer for the work of turning away those who had left.
    """
    loop = asyncio.get_running_loop()
    deadline_s = loop.time() + DEADLINE_S
    untried = [doors[(first + turn) % len(doors)] for turn in range(len(doors))]
    waiting: set[asyncio.Task[Asked]] = set()
    best = Asked("info", untried[0].name, detail="timeout", lingering=True)
    lingering = False
    try:
        while untried or waiting:
            if untried:
                waiting.add(loop.create_task(_ask_one(untried.pop(0), request, judge)))
            left_s = deadline_s - loop.time()
            patience_s = min(left_s, NEXT_AFTER_S) if untried else left_s
            done, waiting = await asyncio.wait(
                waiting, timeout=patience_s, return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                best = task.result()
                lingering |= best.lingering
                if best.final:
                    return replace(best, lingering=lingering or bool(waiting))
            if loop.time() >= deadline_s:
                break
    finally:
        for task in waiting:
            task.cancel()
    lingering |= bool(waiting)
    if waiting:
        best = replace(best, detail="timeout")
    return replace(best, outcome="info" if lingering else "fail", value=0, lingering=lingering)


async def _ask_one(door: Door, request: bytes, judge: Judge) -> Asked:
    try:
        judged = judge(await exchange(door, request, DEADLINE_S))
    except NotSentError as error:
        return Asked("fail", door.name, detail=str(error), final=False)
    except UnansweredError as error:
        return Asked("info", door.name, detail=str(error), lingering=True, final=False)
    outcome = "fail" if judged.detail else "ok"
    return Asked(
        outcome, door.name, judged.value, judged.detail or None, judged.lingering, not judged.elsewhere
    )


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
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._request)

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
