"""Deadlines to some microseconds, for an event loop whose own timers count in milliseconds.

The loop's timers can also fire up to a millisecond early when something else wakes it, and a latency of 20 ms must
never be 19.2. One timerfd, armed for the earliest deadline, has neither fault.
"""

from __future__ import annotations

import asyncio
import ctypes
import heapq
import os
from collections.abc import Callable
from itertools import count
from time import monotonic
from typing import Final

_ABSOLUTE: Final = 1  # TFD_TIMER_ABSTIME
_CLOCK_MONOTONIC: Final = 1
_FLAGS: Final = 0o2000000 | 0o4000  # TFD_CLOEXEC | TFD_NONBLOCK
_NEVER: Final = float("inf")
_SWEEP_ABOVE: Final = 64


class Timer:
    """One deadline. Cancelling it twice, or after it fired, does nothing."""

    __slots__ = ("_timers", "call")

    def __init__(self, timers: Timers, call: Callable[[], None]) -> None:
        self.call: Callable[[], None] | None = call
        self._timers = timers

    def cancel(self) -> None:
        if self.call is not None:
            self.call = None
            self._timers.forget_one()


class Timers:
    """All deadlines of one event loop, in seconds of CLOCK_MONOTONIC (`time.monotonic`). Needs Linux."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._heap: list[tuple[float, int, Timer]] = []
        self._order = count()
        self._cancelled = 0
        self._armed_s = _NEVER
        self._loop = loop
        libc = ctypes.CDLL(None, use_errno=True)
        self._settime = libc.timerfd_settime
        self._fd: int = libc.timerfd_create(_CLOCK_MONOTONIC, _FLAGS)
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")
        self._spec = (ctypes.c_long * 4)()  # struct itimerspec: interval s, ns; first expiry s, ns
        loop.add_reader(self._fd, self._expire)

    def at(self, when_s: float, call: Callable[[], None]) -> Timer:
        """Call `call` once, as soon as `when_s` has passed; never sooner, never from within this call."""
        timer = Timer(self, call)
        heapq.heappush(self._heap, (when_s, next(self._order), timer))
        if when_s < self._armed_s:
            self._arm(when_s)
        return timer

    def close(self) -> None:
        self._loop.remove_reader(self._fd)
        os.close(self._fd)

    def forget_one(self) -> None:
        """A timer was cancelled: sweep once most of the heap is such."""
        self._cancelled += 1
        if self._cancelled > _SWEEP_ABOVE and self._cancelled * 2 > len(self._heap):
            self._heap = [entry for entry in self._heap if entry[2].call is not None]
            heapq.heapify(self._heap)
            self._cancelled = 0

    def _expire(self) -> None:
        self._armed_s = -_NEVER  # what the calls below add is armed for once, at the end
        now_s = monotonic()
        try:
            while self._heap and self._heap[0][0] <= now_s:
                timer = heapq.heappop(self._heap)[2]
                call, timer.call = timer.call, None
                if call is None:
                    self._cancelled -= 1
                else:
                    call()
        finally:
            self._arm(self._heap[0][0] if self._heap else _NEVER)

    def _arm(self, when_s: float) -> None:
        """Setting the time also takes back an expiry that was not read."""
        self._armed_s = when_s
        self._spec[2], self._spec[3] = (0, 0) if when_s == _NEVER else divmod(int(when_s * 1e9) + 1, 10**9)
        self._settime(self._fd, _ABSOLUTE, self._spec, None)
