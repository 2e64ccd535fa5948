"""Letting handsets in: one session each, so many set up at a time, each written to the storage before it counts.

A block that is asked for more than it can set up keeps the others waiting, in order; who waits too long is refused, and
comes again. So a block that suddenly serves another one's users hurts its own.

A session has an address, by which its handset is known from then on (see `addresses`). The address is registered before
the handset hears of it: a session whose owner is not certain is refused. The other way is the bug that this replica
knows: who has waited for so long is let in all the same, and registered later. On 2011-12-20 telephone numbers and
addresses on docomo's servers did not match any more when too many came at once (PUB); how that came about in them is
not published.
"""

from __future__ import annotations

import asyncio
import hmac
import time
from collections import deque
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Final

import orjson

from topology.world.maps.addresses import Addresses
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
    """So many sessions are set up at a time, each takes so long, and nobody waits longer; real seconds. Settings.

    `most_waiting`: who comes while so many wait is refused at once; None: nobody is. `let_in_after_s`: who has waited
    so long is let in without having been registered; None: nobody is.
    """

    at_once: int
    setup_s: float
    patience_s: float
    most_waiting: int | None = None
    let_in_after_s: float | None = None

    def __post_init__(self) -> None:
        if self.at_once < 1 or self.setup_s < 0 or self.patience_s <= 0:
            raise ValueError(f"no capacity: {self}")
        if self.most_waiting is not None and self.most_waiting < 1:
            raise ValueError(f"nobody may wait: {self}")


@dataclass(frozen=True)
class Session:
    """`taken_for`: the subscriber whom its address stands for at this moment; None: for nobody."""

    name: str
    address: IPv4Address
    taken_for: int | None


class Sessions:
    """The authentication server of a block."""

    def __init__(self, block: str, key: str, capacity: Capacity, storage: Storage) -> None:
        self._block, self._key = block, key
        self._capacity, self._storage = capacity, storage
        self._slots = asyncio.Semaphore(capacity.at_once)
        self._recent: deque[tuple[float, float]] = deque()
        self._addresses = Addresses()
        self._given = 0
        self.waiting = 0
        self.opened = 0
        self.refused = 0
        self.unregistered = 0

    async def open(self, subscriber: int, shown: str) -> Session:
        """A new session. Raises NotAdmitted."""
        began_s = time.monotonic()
        try:
            session = await self._open(subscriber, shown)
        except NotAdmitted:
            self.refused += 1
            raise
        self.opened += 1
        self._recent.append((time.monotonic(), time.monotonic() - began_s))
        return session

    @property
    def p95_s(self) -> float | None:
        """Of how long those took that were let in of late; None if nobody was."""
        since_s = time.monotonic() - RECENT_S
        while self._recent and self._recent[0][0] < since_s:
            self._recent.popleft()
        took = sorted(seconds for _, seconds in self._recent)
        return round(took[int(len(took) * 0.95)], 4) if took else None

    async def _open(self, subscriber: int, shown: str) -> Session:
        if not hmac.compare_digest(proof(self._key, subscriber), shown):
            raise NotAdmitted(403, "unknown card")
        most = self._capacity.most_waiting
        if most is not None and self.waiting >= most:
            raise NotAdmitted(503, "too many at once")
        self._given += 1
        name = f"{self._block}-{self._given}-{time.monotonic_ns():x}"
        address = self._addresses.allot(subscriber)
        registering = asyncio.ensure_future(self._register(name, subscriber, address))
        done, _ = await asyncio.wait([registering], timeout=self._capacity.let_in_after_s)
        if done:
            return registering.result()
        self.unregistered += 1
        registering.add_done_callback(_heard)  # nobody waits for it any more
        return Session(name, address, self._addresses.taken_for(address))

    async def _register(self, name: str, subscriber: int, address: IPv4Address) -> Session:
        """Raises NotAdmitted; then the address is free again."""
        try:
            await self._slot()
            try:
                await self._set_up(name, subscriber)
            finally:
                self._slots.release()
        except NotAdmitted:
            self._addresses.give_back(address)
            raise
        self._addresses.register(subscriber, address)
        return Session(name, address, self._addresses.taken_for(address))

    async def _slot(self) -> None:
        self.waiting += 1
        try:
            async with asyncio.timeout(self._capacity.patience_s):
                await self._slots.acquire()
        except TimeoutError:
            raise NotAdmitted(503, "busy") from None
        finally:
            self.waiting -= 1

    async def _set_up(self, name: str, subscriber: int) -> None:
        # What a handset and the network tell each other takes its time, whatever else goes on.
        await asyncio.sleep(self._capacity.setup_s)
        record = {"session": name, "subscriber": subscriber}
        try:
            await self._storage.commit(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))
        except Refused as refused:
            raise NotAdmitted(503, f"storage: {refused}") from None


def _heard(late: asyncio.Future[Session]) -> None:
    """A registration that fails after its handset was let in is nobody's error any more."""
    if not late.cancelled():
        late.exception()
