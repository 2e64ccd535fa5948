"""What the probes have seen: each one into the history, and all of them as green or red."""

from __future__ import annotations

import asyncio
import time
import traceback
from abc import ABC, abstractmethod
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Final

from harness.probes.beat import Beat
from harness.probes.door import DEADLINE_S, Asked
from harness.rundir.history import Operation, Writer

#: A capability is red for this long after a failed probe, and while one waits longer than it should.
RED_FOR_NS: Final = 1_000_000_000
#: Told to stop, the probes under way get as long as a synthetic user has, and a little.
_ENDS_WITHIN_S: Final = DEADLINE_S + 0.3
#: A probe that could not begin for this long says nothing of the service: the observer was held up.
_TOO_LATE_NS: Final = int(DEADLINE_S * 1e9)


@dataclass
class _Light:
    """One capability at one vantage."""

    slow_ns: int
    served_ns: int = 0
    failed_ns: int = 0
    under_way: set[int] = field(default_factory=set)  # intended times

    def green(self, now_ns: int) -> bool:
        waiting_ns = now_ns - min(self.under_way, default=now_ns)
        recently_ns = now_ns - RED_FOR_NS
        served = self.served_ns > recently_ns - self.slow_ns
        return served and self.failed_ns < recently_ns and waiting_ns < self.slow_ns


class Probe(ABC):
    """One capability at one vantage: asked on a fixed timetable, each time by a user of its own.

    `process` numbers these actors in the history. Waiting longer than `slow_s` shows as red.
    """

    capability: str
    vantage: str
    process: int
    slow_s: float = 0.7

    @abstractmethod
    async def ask(self, turn: int) -> tuple[int, Asked]:
        """Ask once; `turn` counts the probes. Returns the register (0 for none) and what came of it."""


class Board:
    """Fires the probes and writes down what they see."""

    def __init__(self, history: Writer) -> None:
        self._history = history
        self._lights: dict[tuple[str, str], _Light] = {}
        self._beats: list[Beat] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._late_ns = 0

    def schedule(self, probe: Probe, first_ns: int, period_ns: int) -> None:
        light = _Light(int(probe.slow_s * 1e9))
        self._lights[probe.capability, probe.vantage] = light

        def fire(intended_ns: int) -> None:
            turn = (intended_ns - first_ns) // period_ns
            self._start(self._run(probe, light, turn, intended_ns))

        beat = Beat(first_ns, period_ns, fire)
        self._beats.append(beat)
        beat.start()

    async def stop(self) -> None:
        """No more probes; those under way end first, within their deadline: what they wrote must be known."""
        for beat in self._beats:
            beat.stop()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_ENDS_WITHIN_S)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def line(self, now_ns: int) -> dict[str, object]:
        """The live line: capability -> vantage -> served; `late_ms`: the worst start since the last line."""
        green: dict[str, dict[str, bool]] = {}
        for (capability, vantage), light in self._lights.items():
            green.setdefault(capability, {})[vantage] = light.green(now_ns)
        late_ns, self._late_ns = self._late_ns, 0
        return {"green": green, "late_ms": round(late_ns / 1e6, 1)}

    def _start(self, probe: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(probe)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, probe: Probe, light: _Light, turn: int, intended_ns: int) -> None:
        invoked_ns = time.monotonic_ns()
        self._late_ns = max(self._late_ns, invoked_ns - intended_ns)
        key, asked = 0, Asked("info", "", detail="stopped")
        light.under_way.add(intended_ns)
        try:
            if invoked_ns - intended_ns > _TOO_LATE_NS:
                asked = Asked("info", "", detail="the observer was late")
            else:
                key, asked = await probe.ask(turn)
        except Exception:  # an error of the probe's own: no finding about the service
            asked = Asked("info", "", detail="strange")
            traceback.print_exc()
        finally:
            completed_ns = time.monotonic_ns()
            light.under_way.discard(intended_ns)
            if asked.outcome == "ok":
                light.served_ns = completed_ns
            else:
                light.failed_ns = completed_ns
            self._history.add(
                Operation(
                    process=probe.process,
                    kind=probe.capability,
                    key=key,
                    value=asked.value,
                    intended_ns=intended_ns,
                    invoked_ns=invoked_ns,
                    completed_ns=completed_ns,
                    outcome=asked.outcome,
                    vantage=probe.vantage,
                    endpoint=asked.endpoint,
                    detail=asked.detail,
                )
            )
