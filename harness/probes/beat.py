"""A fixed timetable: the n-th probe is meant for start + n periods, whatever became of those before it."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable


class Beat:
    """Calls `fire(intended_ns)` for every instant of a grid, never early; late ones are all made up for."""

    def __init__(self, first_ns: int, period_ns: int, fire: Callable[[int], None]) -> None:
        self._next_ns = first_ns
        self._period_ns = period_ns
        self._fire = fire
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        now_ns = time.monotonic_ns()
        while self._next_ns <= now_ns:
            intended_ns = self._next_ns
            self._next_ns += self._period_ns
            self._fire(intended_ns)
        # Whole milliseconds, rounded up: the event loop's timers know nothing finer.
        wait_s = math.ceil((self._next_ns - time.monotonic_ns()) / 1e6) / 1e3
        self._timer = asyncio.get_running_loop().call_later(wait_s, self.start)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
