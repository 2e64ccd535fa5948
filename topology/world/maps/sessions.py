"""Letting handsets in: one session each, so many set up at a time, each written to the storage before it counts.

A block that is asked for more than it can set up keeps the others waiting, in order; who waits too long is refused, and
comes again. So a block that suddenly serves another one's users hurts its own.
"""

from __future__ import annotations

import asyncio
import hmac
import time
from collections import deque
from dataclasses import dataclass
from typing import Final

import orjson

from topology.world.maps.card import proof
from topology.world.maps.paths import Refused, Storage

#: `p95_s` is over the sessions of so long; real seconds.
RECENT_S: Final = 5.0


class NotAdmitted(Exception):
    """A handset that is not let in. `status` is HTTP's."""

    def __init__(self, status: int, why: str) -> None:
        self.status, self.why = status, why
        super().__init__(why)


@dataclass(frozen=True)
class Capacity:
    """So many sessions are set up at a time, each takes so long, and nobody waits longer; real seconds. Settings."""

    at_once: int
    setup_s: float
    patience_s: float

    def __post_init__(self) -> None:
        if self.at_once < 1 or self.setup_s < 0 or self.patience_s <= 0:
            raise ValueError(f"no capacity: {self}")


class Sessions:
    """The authentication server of a block."""

    def __init__(self, block: str, key: str, capacity: Capacity, storage: Storage) -> None:
        self._block, self._key = block, key
        self._capacity, self._storage = capacity, storage
        self._slots = asyncio.Semaphore(capacity.at_once)
        self._recent: deque[tuple[float, float]] = deque()
        self.waiting = 0
        self.opened = 0
        self.refused = 0

    async def open(self, subscriber: int, shown: str) -> str:
        """The name of a new session. Raises NotAdmitted."""
        began_s = time.monotonic()
        try:
            if not hmac.compare_digest(proof(self._key, subscriber), shown):
                raise NotAdmitted(403, "unknown card")
            await self._slot()
            try:
                name = await self._set_up(subscriber)
            finally:
                self._slots.release()
        except NotAdmitted:
            self.refused += 1
            raise
        self.opened += 1
        self._recent.append((time.monotonic(), time.monotonic() - began_s))
        return name

    @property
    def p95_s(self) -> float | None:
        """Of how long those took that were let in of late; None if nobody was."""
        since_s = time.monotonic() - RECENT_S
        while self._recent and self._recent[0][0] < since_s:
            self._recent.popleft()
        took = sorted(seconds for _, seconds in self._recent)
        return round(took[int(len(took) * 0.95)], 4) if took else None

    async def _slot(self) -> None:
        self.waiting += 1
        try:
            async with asyncio.timeout(self._capacity.patience_s):
                await self._slots.acquire()
        except TimeoutError:
            raise NotAdmitted(503, "busy") from None
        finally:
            self.waiting -= 1

    async def _set_up(self, subscriber: int) -> str:
        # What a handset and the network tell each other takes its time, whatever else goes on.
        await asyncio.sleep(self._capacity.setup_s)
        name = f"{self._block}-{self.opened + 1}-{time.monotonic_ns():x}"
        record = {"session": name, "subscriber": subscriber}
        try:
            await self._storage.commit(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))
        except Refused as refused:
            raise NotAdmitted(503, f"storage: {refused}") from None
        return name
