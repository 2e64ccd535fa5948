"""Open arrivals: every errand sets out at its planned time, however many others are still under way."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable
from itertools import count

from gevent.event import Event

from harness.load.residents import Errand

_IDLE_S = 60.0


class Arrivals:
    """A timetable. `go` is called for each errand when it is due, never before, and must not block."""

    def __init__(self, go: Callable[[Errand], None]) -> None:
        self._go = go
        self._timetable: list[tuple[int, int, Errand]] = []
        self._order = count()
        self._earlier = Event()

    def __len__(self) -> int:
        return len(self._timetable)

    def add(self, errand: Errand) -> None:
        heapq.heappush(self._timetable, (errand.planned_ns, next(self._order), errand))
        if self._timetable[0][2] is errand:
            self._earlier.set()

    def run(self) -> None:
        """Send people on their errands, until killed."""
        while True:
            self._earlier.clear()
            now_ns = time.monotonic_ns()
            while self._timetable and self._timetable[0][0] <= now_ns:
                self._go(heapq.heappop(self._timetable)[2])
            wait_s = (self._timetable[0][0] - time.monotonic_ns()) / 1e9 if self._timetable else _IDLE_S
            self._earlier.wait(max(0.0, wait_s))
