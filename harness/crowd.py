"""All who use the service during a run: the load in the citizens' place, the probes in the observers'."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from harness.faults import Stage
from harness.interruption import Interruption
from harness.live import Show, greens
from harness.load.config import LoadConfig
from harness.plan import Plan
from harness.probes.config import ProbeConfig
from harness.probes.isolation import IsolationConfig
from harness.program import Program
from harness.rundir import Json, RunDir

STEADY_WITHIN_S: Final = 30.0
STEADY_FOR_S: Final = 2.0
TICK_S: Final = 0.1
#: Who plays people; of several processes that is their master, and they are numbered.
LOAD: Final = "load"


class Crowd:
    """The load and the probes, the clock they share with the timeline, and the screen that shows them."""

    def __init__(self, at: Stage, run: RunDir, plan: Plan, show: Show, interruption: Interruption) -> None:
        self._at, self._run, self._plan = at, run, plan
        self._show, self._interruption = show, interruption
        self._programs: dict[str, Program] = {}

    def start(
        self, loads: Sequence[LoadConfig], probes: ProbeConfig, isolation: IsolationConfig | None = None
    ) -> None:
        """`loads`: one for each process that plays people. Raises NodeFailed when one of all does not become ready."""
        workers = {LOAD: loads[0]}
        if len(loads) > 1:
            self._start(LOAD, "harness.load.master", "citizens", loads[0].to_json())
            workers = {f"{LOAD}-{load.worker}": load for load in loads}
        for name, load in workers.items():
            self._start(name, "harness.load", "citizens", load.to_json())
        self._start("probes", "harness.probes", "observers", probes.to_json())
        if isolation is not None:
            self._start("isolation", "harness.probes.isolation", "observers", isolation.to_json())
        for program in self._programs.values():
            program.wait_ready()

    def _start(self, name: str, module: str, role: str, config: str) -> None:
        path = self._run.write(f"{name}.json", config)
        (node,) = self._at.topology.with_role(role)
        log = self._run.path / "nodes" / f"{name}.log"
        argv = ["python", "-m", module, str(path)]
        self._programs[name] = Program(self._at.runtime, node, argv, log)

    def latest(self, name: str) -> Mapping[str, Json]:
        """What a program last said; of the load all its processes together."""
        program = self._programs.get(name)
        return program.latest if program else {}

    def wait_steady(self) -> bool:
        """Wait until every probe has been served for a while; False if that never came or the run was interrupted."""
        started_s = time.monotonic()
        green_since: float | None = None
        while not self._interruption.asked.wait(TICK_S):
            now = time.monotonic()
            green_since = (green_since or now) if self._all_green() else None
            if green_since is not None and now - green_since >= STEADY_FOR_S:
                self._run.record("steady", seconds=round(now - started_s, 3))
                return True
            if now - started_s > STEADY_WITHIN_S:
                self._run.record(
                    "steady.never", seconds=round(now - started_s, 3), probes=self.latest("probes")
                )
                self._show.say(f"no steady state within {STEADY_WITHIN_S:g} s; the timeline is not played")
                return False
        return False

    def _all_green(self) -> bool:
        green = greens(self.latest("probes"))
        return bool(green) and all(served for row in green.values() for served in row.values())

    def begin(self) -> None:
        """The timeline's 0 s is now."""
        start_ns = time.monotonic_ns()
        self._run.clock = replace(self._run.clock, start_ns=start_ns)
        self._run.record("timeline.started")

    def wait_until(self, at_s: float) -> bool:
        """Wait for an instant of the timeline; False if the run was interrupted first."""
        return self.wait_while(lambda: False, at_s) or not self._interruption.asked.is_set()

    def wait_while(self, done: Callable[[], bool], until_s: float) -> bool:
        """Wait for a condition, at most until that instant of the timeline. Whether it came."""
        clock = self._run.clock
        while not self._interruption.asked.is_set():
            now_s = clock.seconds(time.monotonic_ns())
            if done():
                return True
            if now_s >= until_s:
                return False
            self._show.tick(now_s, self._plan.ends_s, self.latest(LOAD), self.latest("probes"))
            self._watch()
            self._interruption.asked.wait(max(0.0, min(TICK_S, until_s - clock.seconds(time.monotonic_ns()))))
        return False

    def _watch(self) -> None:
        """A program of the harness that ends by itself is recorded: what it did not see cannot be judged."""
        for name, program in list(self._programs.items()):
            if not program.alive():
                self._run.record("program.died", program=name, log=program.log())
                self._show.say(f"the {name} ended by itself: {program.log(1)}")
                del self._programs[name]

    def stop(self) -> None:
        """Both write down what they have and end."""
        for name, program in self._programs.items():
            if not program.stop():
                self._run.record("program.died", program=name, log=program.log())
        self._programs.clear()
