"""Where the people's handsets find the service: by its name, at the cache of their carrier's resolver, on gevent."""

from __future__ import annotations

import time
from random import randrange
from typing import TypeAlias

import gevent
import gevent.socket
from gevent.event import AsyncResult

from harness.load.access import Access, Entrance
from harness.load.names import TRIES, TRY_S, Found, NoAddressError, Question, read
from harness.load.network import Block

#: A cache of a carrier, by where it is asked.
Cache: TypeAlias = tuple[str, tuple[str, int]]


class Directory:
    """Remembers what each cache of each carrier said, for as long as it said, for all who use that cache.

    Whatever many ask at once is looked up once, so that a crowd costs a few questions a second.
    """

    def __init__(self, host: str) -> None:
        self._host = host
        self._found: dict[Cache, Found] = {}
        self._asking: dict[Cache, AsyncResult] = {}

    def entrances(self, access: Access, person: int, block: Block | None = None) -> tuple[Entrance, ...]:
        """The ways in for a person; all of them at a carrier without a resolver. Raises NoAddressError.

        `block`: who let their handset in, and knows names as well.
        """
        if block is not None:
            cache = (access.carrier, block.resolver)
        elif access.resolvers:
            cache = (access.carrier, access.resolvers[person % len(access.resolvers)])
        else:
            return access.entrances
        found = self._found.get(cache)
        if found is None or found.until_ns <= time.monotonic_ns():
            found = self._look_up(access, cache)
        return found.entrances

    def _look_up(self, access: Access, key: Cache) -> Found:
        asking = self._asking.get(key)
        if asking is None:
            asking = self._asking[key] = AsyncResult()
            gevent.spawn(self._ask, access, key, asking)  # not by one who may leave before the answer
        found: Found = asking.get()
        return found

    def _ask(self, access: Access, key: Cache, asking: AsyncResult) -> None:
        try:
            found = self._found[key] = ask(self._host, access, key[1])
            asking.set(found)
        except NoAddressError as error:
            asking.set_exception(error)
        finally:
            del self._asking[key]


def ask(host: str, access: Access, resolver: tuple[str, int]) -> Found:
    """One question, asked again when it stays without an answer. Raises NoAddressError."""
    question = Question(randrange(65536), host)
    try:
        with gevent.socket.socket(gevent.socket.AF_INET, gevent.socket.SOCK_DGRAM) as ear:
            ear.connect(resolver)
            for _ in range(TRIES):
                ear.send(question.wire)
                with gevent.Timeout(TRY_S, False):
                    while (found := read(question, ear.recv(4096), access, time.monotonic_ns())) is None:
                        pass
                    return found
    except OSError as error:
        raise NoAddressError(f"resolver: {(error.strerror or type(error).__name__).lower()}") from None
    raise NoAddressError("resolver: timeout")
