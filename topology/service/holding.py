"""Questions that are held while there is nobody to ask.

A primary that is being replaced on purpose is there again before anybody has given up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, TypeVar

from topology.service.pool import Broken, Nobody, ReadOnly, Unavailable

T = TypeVar("T")

#: At most so many are held at once; the others are refused.
MOST: Final = 512
#: Between two tries.
AGAIN_AFTER_S: Final = 0.1


class Holding:
    """Each is held for `held_s` at the most. `begun` is called when the first one is."""

    def __init__(self, held_s: float, begun: Callable[[], None]) -> None:
        self._held_s, self._begun = held_s, begun
        self._held = 0

    @property
    def any(self) -> bool:
        return self._held > 0

    async def ask(
        self, question: Callable[[], Awaitable[T]], somebody: asyncio.Event, *, again: bool = False
    ) -> T:
        """Ask, and again whenever there is somebody to ask. Raises Unavailable when the time is over.

        What may have been carried out is tried again only if that does no harm (`again`).
        """
        loop = asyncio.get_running_loop()
        last_s = loop.time() + self._held_s - AGAIN_AFTER_S
        passing = (Nobody, ReadOnly, Broken) if again else (Nobody, ReadOnly)
        while True:
            try:
                return await question()
            except Unavailable as error:
                if not isinstance(error, passing) or loop.time() >= last_s or self._held >= MOST:
                    raise
            await self._wait(somebody, last_s)

    async def _wait(self, somebody: asyncio.Event, until_s: float) -> None:
        self._held += 1
        if self._held == 1:
            self._begun()
        try:
            await asyncio.sleep(AGAIN_AFTER_S)  # it may take as long to be noticed that nobody is there
            with suppress(TimeoutError):
                async with asyncio.timeout_at(until_s):
                    await somebody.wait()
        finally:
            self._held -= 1
