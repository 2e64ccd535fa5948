from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Coroutine
from typing import TypeAlias

import pytest
import uvloop

from topology.platform.proxy.timers import Timers

Body: TypeAlias = Callable[[Timers], Coroutine[object, object, None]]


def with_timers(body: Body) -> None:
    async def main() -> None:
        timers = Timers(asyncio.get_running_loop())
        try:
            await asyncio.wait_for(body(timers), 5.0)
        finally:
            timers.close()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


def test_deadlines_are_kept_in_order_and_never_early() -> None:
    waits = [random.Random(1).random() * 0.05 for _ in range(200)]
    fired: list[tuple[float, float]] = []

    async def body(timers: Timers) -> None:
        done = asyncio.Event()

        def fire(due: float) -> None:
            fired.append((due, time.monotonic()))
            if len(fired) == len(waits):
                done.set()

        now = time.monotonic()
        for wait in waits:
            timers.at(now + wait, lambda due=now + wait: fire(due))  # type: ignore[misc]
        await done.wait()

    with_timers(body)
    assert [due for due, _ in fired] == sorted(due for due, _ in fired)
    assert all(at >= due for due, at in fired)
    assert sorted(at - due for due, at in fired)[len(fired) // 2] < 0.02


def test_what_is_due_is_not_called_at_once_but_soon() -> None:
    async def body(timers: Timers) -> None:
        fired = asyncio.Event()
        timers.at(time.monotonic() - 1, fired.set)
        assert not fired.is_set()
        await fired.wait()

    with_timers(body)


def test_cancelled_and_endless_ones_never_fire() -> None:
    async def body(timers: Timers) -> None:
        now = time.monotonic()
        fired: list[str] = []
        last = asyncio.Event()
        cancelled = [timers.at(now + 0.01, lambda: fired.append("cancelled")) for _ in range(500)]
        timers.at(float("inf"), lambda: fired.append("endless"))
        timers.at(now + 0.02, last.set)
        for timer in cancelled + cancelled:
            timer.cancel()
        await last.wait()
        assert fired == []

    with_timers(body)


def test_a_call_may_set_and_cancel_others() -> None:
    async def body(timers: Timers) -> None:
        now = time.monotonic()
        done = asyncio.Event()
        victim = timers.at(now + 0.005, lambda: pytest.fail("was cancelled"))

        def first() -> None:
            victim.cancel()
            timers.at(time.monotonic() + 0.001, done.set)

        timers.at(now + 0.004, first)
        await done.wait()

    with_timers(body)


def test_one_that_fails_does_not_stop_the_others() -> None:
    async def body(timers: Timers) -> None:
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        done = asyncio.Event()
        now = time.monotonic()
        timers.at(now + 0.001, lambda: 1 // 0)  # type: ignore[arg-type]
        timers.at(now + 0.005, done.set)
        await done.wait()

    with_timers(body)
