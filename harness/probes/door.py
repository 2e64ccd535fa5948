"""Asking by one door and then by another: what a synthetic user does, on asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from harness.load.http1 import NotSentError, Reply, UnansweredError
from harness.probes.conversation import exchange

#: How long a synthetic user waits for one door before trying the next as well, and for any of them, in seconds.
NEXT_AFTER_S: Final = 0.7
DEADLINE_S: Final = 2.0
#: At ten a second, as many as come in the half second after which waiting counts as not being served.
ABREAST: Final = 5
_SCOUT_AGAIN_S: Final = 0.1


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


class Doors:
    """The doors that one series of synthetic users may take, and the line in front of them.

    No more than `ABREAST` of them are at the doors at a time, and one of those at two doors at once; the others
    stand in line, and their time runs. When everything hangs, hundreds would otherwise be served at once as soon
    as it goes on, none of them soon, and the outage would seem longer for it.
    """

    def __init__(self, doors: Sequence[Door]) -> None:
        self._doors = doors
        self._line = asyncio.Semaphore(ABREAST)
        self._scout = asyncio.Lock()

    async def ask(self, first: int, request: bytes, judge: Judge) -> Asked:
        """Ask at the first door; when that one fails, or is silent for `NEXT_AFTER_S`, at the next one as well."""
        order = [self._doors[(first + turn) % len(self._doors)] for turn in range(len(self._doors))]
        asking = _Asking(order, request, judge)
        try:
            async with asyncio.timeout(DEADLINE_S), self._line:
                return await asking.run(self._scout)
        except TimeoutError:
            return asking.out_of_time()


class _Asking:
    """One synthetic user on the way from door to door.

    A silent door is still waited for while the next one is tried: whoever comes back serves those first who have
    waited longest.
    """

    def __init__(self, order: Sequence[Door], request: bytes, judge: Judge) -> None:
        self._order = order
        self._request, self._judge = request, judge
        self._waiting: set[asyncio.Task[Asked]] = set()
        self._last: Asked | None = None
        self._lingering = False

    async def run(self, scout: asyncio.Lock) -> Asked:
        """Cancelled by the caller when the time is over."""
        try:
            return await self._first_door(scout) or self._nowhere()
        finally:
            for task in self._waiting:
                task.cancel()

    def out_of_time(self) -> Asked:
        """What has come of it by now."""
        if not self._waiting:
            return self._nowhere() if self._last else Asked("fail", "", detail="still in line")
        return Asked("info", self._last.endpoint if self._last else "", detail="timeout", lingering=True)

    async def _first_door(self, scout: asyncio.Lock) -> Asked | None:
        self._knock(self._order[0])
        found = await self._wait(NEXT_AFTER_S)
        if self._waiting:
            while found is None and self._waiting and scout.locked():
                found = await self._wait(_SCOUT_AGAIN_S)
            if found is not None:
                return found
            async with scout:
                return await self._other_doors()
        return found or await self._other_doors()

    async def _other_doors(self) -> Asked | None:
        for door in self._order[1:]:
            self._knock(door)
            if (found := await self._wait(NEXT_AFTER_S)) is not None:
                return found
        while self._waiting:
            if (found := await self._wait(None)) is not None:
                return found
        return None

    def _knock(self, door: Door) -> None:
        self._waiting.add(asyncio.get_running_loop().create_task(_ask_one(door, self._request, self._judge)))

    async def _wait(self, patience_s: float | None) -> Asked | None:
        """The first answer that settles it; None when none came in time, or only such as another door may mend."""
        done, self._waiting = await asyncio.wait(
            self._waiting, timeout=patience_s, return_when=asyncio.FIRST_COMPLETED
        )
        for task in done:
            self._last = task.result()
            self._lingering |= self._last.lingering
            if self._last.final:
                return replace(self._last, lingering=self._lingering or bool(self._waiting))
        return None

    def _nowhere(self) -> Asked:
        assert self._last is not None
        return replace(
            self._last, outcome="info" if self._lingering else "fail", value=0, lingering=self._lingering
        )


async def _ask_one(door: Door, request: bytes, judge: Judge) -> Asked:
    try:
        judged = judge(await exchange(door.host, door.port, request, DEADLINE_S))
    except NotSentError as error:
        return Asked("fail", door.name, detail=str(error), final=False)
    except UnansweredError as error:
        return Asked("info", door.name, detail=str(error), lingering=True, final=False)
    outcome = "fail" if judged.detail else "ok"
    return Asked(
        outcome, door.name, judged.value, judged.detail or None, judged.lingering, not judged.elsewhere
    )
