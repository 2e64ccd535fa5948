"""Asking by one door and then by another: what a synthetic user does, on asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from harness.load.http1 import NotSentError, Reply, UnansweredError
from harness.load.names import ENDPOINT, NoAddressError
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
#: Finds the doors, within less than `DEADLINE_S`. Raises NoAddressError.
LookUp: TypeAlias = Callable[[], Awaitable[Sequence[Door]]]


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

    def __init__(self, doors: Sequence[Door] = (), look_up: LookUp | None = None) -> None:
        """The doors themselves, or who knows them at the moment."""
        self._doors, self._look_up = doors, look_up
        self._line = asyncio.Semaphore(ABREAST)
        self.scouted = False  # somebody is at two doors at once

    async def ask(self, first: int, request: bytes, judge: Judge) -> Asked:
        """Ask at the first door; when that one fails, or is silent for `NEXT_AFTER_S`, at the next one as well."""
        deadline_s = asyncio.get_running_loop().time() + DEADLINE_S
        try:
            if self._line.locked():
                async with asyncio.timeout_at(deadline_s):
                    await self._line.acquire()
            else:
                await self._line.acquire()
        except TimeoutError:
            return Asked("fail", "", detail="still in line")
        try:
            doors = await self._look_up() if self._look_up is not None else self._doors
            order = [doors[(first + turn) % len(doors)] for turn in range(len(doors))]
            return await _Asking(self, order, request, judge).run(deadline_s)
        except NoAddressError as error:
            return Asked("fail", ENDPOINT, detail=str(error))
        finally:
            self._line.release()


class _Asking:
    """One synthetic user on the way from door to door.

    A silent door is still waited for while the next one is tried: whoever comes back serves those first who have
    waited longest. By callbacks, for this is what most of the probes' processor time goes into.
    """

    def __init__(self, doors: Doors, order: list[Door], request: bytes, judge: Judge) -> None:
        self._loop = asyncio.get_running_loop()
        self._doors, self._untried = doors, order
        self._request, self._judge = request, judge
        self._waiting: set[asyncio.Task[Asked]] = set()
        self._settled: asyncio.Future[Asked] = self._loop.create_future()
        self._last = Asked("fail", order[0].name, final=False)
        self._lingering = self._scouting = False

    async def run(self, deadline_s: float) -> Asked:
        self._knock()
        end = self._loop.call_at(deadline_s, self._end)
        self._next = self._loop.call_later(NEXT_AFTER_S, self._go_on)
        try:
            return await self._settled
        finally:
            end.cancel()
            self._next.cancel()
            for task in self._waiting:
                task.cancel()
            if self._scouting:
                self._doors.scouted = False

    def _knock(self) -> None:
        task = self._loop.create_task(_ask_one(self._untried.pop(0), self._request, self._judge))
        self._waiting.add(task)
        task.add_done_callback(self._answered)

    def _answered(self, task: asyncio.Task[Asked]) -> None:
        self._waiting.discard(task)
        if task.cancelled() or self._settled.done():
            return
        if (error := task.exception()) is not None:
            self._settled.set_exception(error)
            return
        self._last = task.result()
        self._lingering |= self._last.lingering
        if self._last.final:
            lingering = self._lingering or bool(self._waiting)
            self._settled.set_result(replace(self._last, lingering=True) if lingering else self._last)
        elif self._untried:
            self._knock()
        elif not self._waiting:
            self._settled.set_result(self._unserved(self._last.detail))

    def _go_on(self) -> None:
        """Nobody has answered yet."""
        if not self._untried:
            return
        if self._doors.scouted and not self._scouting:
            self._next = self._loop.call_later(_SCOUT_AGAIN_S, self._go_on)
            return
        self._scouting = self._doors.scouted = True
        self._knock()
        self._next = self._loop.call_later(NEXT_AFTER_S, self._go_on)

    def _end(self) -> None:
        if not self._settled.done():
            self._lingering = True
            self._settled.set_result(self._unserved("timeout"))

    def _unserved(self, detail: str | None) -> Asked:
        outcome = "info" if self._lingering else "fail"
        return Asked(outcome, self._last.endpoint, detail=detail, lingering=self._lingering)


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
