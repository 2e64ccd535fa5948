"""Where the observers find the service: by its name, at one cache of their carrier's resolver, on asyncio."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from random import randrange
from typing import cast

from harness.load.access import Access, Entrance
from harness.load.names import TRIES, TRY_S, Found, NoAddressError, Question, read
from harness.probes.door import Door


class Directory:
    """The doors of one carrier in plain http, as its last cache knows them: one that keeps no answers too long.

    Remembered for as long as it says; whatever many ask at once is looked up once.
    """

    def __init__(self, access: Access, host: str) -> None:
        self._access, self._host = access, host
        self.carrier = access.carrier
        self._known = _doors(access.entrances)
        self._found: Found | None = None
        self._asking: asyncio.Task[Found] | None = None

    async def doors(self) -> Sequence[Door]:
        """All doors at a carrier without a resolver. Raises NoAddressError."""
        if not self._access.resolvers:
            return self._known
        if self._found is None or self._found.until_ns <= time.monotonic_ns():
            if self._asking is None or self._asking.done():
                self._asking = asyncio.create_task(self._look_up())
            self._found = await asyncio.shield(self._asking)
            self._known = _doors(self._found.entrances)
        return self._known

    async def _look_up(self) -> Found:
        return await look_up(self._host, self._access, self._access.resolvers[-1])


async def look_up(host: str, access: Access, resolver: tuple[str, int]) -> Found:
    """One question, asked again when it stays without an answer. Raises NoAddressError."""
    question = Question(randrange(65536), host)
    try:
        transport, ear = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: _Ear(question, access), remote_addr=resolver
        )
    except OSError as error:
        raise NoAddressError(f"resolver: {(error.strerror or type(error).__name__).lower()}") from None
    try:
        for _ in range(TRIES):
            transport.sendto(question.wire)
            done, _ = await asyncio.wait({ear.found}, timeout=TRY_S)
            if done:
                return ear.found.result()
        raise NoAddressError("resolver: timeout")
    finally:
        transport.close()


def _doors(entrances: Sequence[Entrance]) -> list[Door]:
    return [Door(entrance.name, entrance.host, entrance.http) for entrance in entrances]


class _Ear(asyncio.DatagramProtocol):
    """Hears the answer to one question."""

    def __init__(self, question: Question, access: Access) -> None:
        self._question, self._access = question, access
        self.found: asyncio.Future[Found] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if self.found.done():
            return
        try:
            found = read(self._question, data, self._access, time.monotonic_ns())
        except NoAddressError as error:
            self.found.set_exception(error)
        else:
            if found is not None:
                self.found.set_result(found)

    def error_received(self, exc: Exception) -> None:
        if not self.found.done():
            why = cast(OSError, exc).strerror or type(exc).__name__
            self.found.set_exception(NoAddressError(f"resolver: {why.lower()}"))
