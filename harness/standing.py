"""A replica that stays up between commands: `harness up`, `status`, `perform`, `down`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import psutil

from harness import library
from harness.faults import Stage
from harness.faults.looking import answer, each
from harness.interruption import GiveUp, Interruption
from harness.live import PlainShow
from harness.runbook import confirmers
from harness.runbook.commands import fence
from harness.runbook.desk import Desk
from harness.runbook.scene import Scene
from harness.rundir import Clock, RunDir
from harness.runtime import CannotRun, NodeFailed, Runtime, choice, house
from harness.scenario import variables
from harness.startup import bring_up, stage
from harness.sweeping import drop_volumes
from topology import map as topology_map

LOOK_EVERY_S: Final = 1.0
UP_WITHIN_S: Final = 180.0
DOWN_WITHIN_S: Final = 30.0
STATE: Final = "up.json"


@dataclass(frozen=True)
class Wanted:
    """What is to stand: a topology (ours if none), overrides laid over it, how fast its drill clock goes, which of
    the service's regions (all if none), in which runtime, and which systems of the world that must be asked for.
    """

    topology: Path | None
    defects: tuple[str, ...]
    clock: float
    regions: tuple[str, ...] = ()
    runtime: str = choice.LOCAL
    systems: tuple[str, ...] = ()

    def arguments(self) -> list[str]:
        words = ["--clock", str(self.clock), "--runtime", self.runtime]
        words += ["--topology", str(self.topology)] if self.topology else []
        words += [word for region in self.regions for word in ("--region", region)]
        words += [word for system in self.systems for word in ("--system", system)]
        return words + [word for defect in self.defects for word in ("--with", defect)]


@dataclass(frozen=True)
class State:
    """What up.json says. `pid` is the process outside that all of it hangs on, `started` when that began.

    `since` is empty while it is still coming up. `fence` is what the register says of who may write, in words; empty
    where there is none.
    """

    pid: int
    started: float
    since: str
    run: str
    nodes: Mapping[str, str]
    fence: str = ""


def read(runs: Path) -> State | None:
    """What stands now; None if nothing does, also after whatever held it was killed."""
    try:
        state = State(**json.loads((runs / STATE).read_text()))
        process = psutil.Process(state.pid)
        return state if abs(process.create_time() - state.started) < 1.0 else None
    except (OSError, ValueError, TypeError, psutil.NoSuchProcess):
        return None


def left(runs: Path) -> State | None:
    """What stood last, by its own last words; None if it was taken down in order, or never was up."""
    try:
        return State(**json.loads((runs / STATE).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def up(runs: Path, wanted: Wanted, foreground: bool) -> int:
    """Bring everything up and keep it. Raises CannotRun when something already stands or a node does not start."""
    if (state := read(runs)) is not None and not house.inside():
        raise CannotRun(
            f"nodes are already {'up' if state.since else 'coming up'} (process {state.pid}, {state.run}); "
            "harness down takes them down"
        )
    overrides = [library.defect(name) for name in wanted.defects]
    path = wanted.topology or library.TOPOLOGY
    whole = topology_map.read(path, overrides, variables(wanted.clock, wanted.systems))
    topology_map.known(wanted.systems, whole)
    topology = whole.only(wanted.regions or whole.service_regions)
    again = [sys.executable, "-m", "harness", "--runs", str(runs), "up", "--foreground", *wanted.arguments()]
    if not foreground:
        return _in_background(runs, again)
    if not house.inside():
        choice.ready(wanted.runtime, topology)
        return house.enter(again, listens=True)
    run = RunDir.create(runs, "up", 0)
    run.clock = Clock.now(wanted.clock)
    with run.held():
        return _keep(choice.make(wanted.runtime), topology, run, runs)


def _in_background(runs: Path, command: list[str]) -> int:
    runs.mkdir(parents=True, exist_ok=True)
    with (runs / "up.log").open("wb") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    try:
        return _await_up(process, runs)
    except KeyboardInterrupt:
        process.terminate()
        process.wait(DOWN_WITHIN_S)
        raise


def _await_up(process: subprocess.Popen[bytes], runs: Path) -> int:
    """Raises CannotRun if it does not come up."""
    deadline = time.monotonic() + UP_WITHIN_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            said = (runs / "up.log").read_text(errors="replace").strip()
            raise CannotRun(said.removeprefix("harness: ") or f"it ended with status {process.returncode}")
        if (state := read(runs)) is not None and state.since:
            print(
                f"{len(state.nodes)} nodes are up and healthy; harness status shows them, harness down ends them"
            )
            return 0
        time.sleep(0.1)
    process.terminate()
    raise CannotRun(f"not up within {UP_WITHIN_S:g} s; see {runs / 'up.log'}")


def _keep(runtime: Runtime, topology: topology_map.Map, run: RunDir, runs: Path) -> int:
    """Inside the house: everything up, its state written down every second, everything down at a signal."""
    outside = int(os.environ[house.INSIDE])
    with Interruption() as interruption:
        try:
            house.listen()
            write(runs, State(outside, _started(), "", run.name, {}))
            runtime.prepare(topology, run)
            at = stage(runtime, topology)
            bring_up(at, run, PlainShow().nodes, interruption.asked.is_set)
            if not interruption.asked.is_set():
                _enrol(at, run)
            since = datetime.now(UTC).isoformat(timespec="seconds")
            scene = Scene(at, run)
            with Desk(runs, scene):
                while not interruption.asked.is_set():
                    now = State(outside, _started(), since, run.name, _look(at), fence.told(scene))
                    write(runs, now)
                    interruption.asked.wait(LOOK_EVERY_S)
        except GiveUp:
            run.record("run.interrupted", why="twice")
        finally:
            runtime.close()
            (runs / STATE).unlink(missing_ok=True)
            drop_volumes(run.path)
    return 0


def _enrol(at: Stage, run: RunDir) -> None:
    """Those who confirm for runbooks. A service that takes nobody stands all the same."""
    try:
        confirmers.enrol(at, run)
    except (NodeFailed, TimeoutError) as error:
        run.record("confirmers.missing", why=str(error))


def _started() -> float:
    """When the process outside began. It is told by its own environment: in here other PIDs are not visible."""
    return float(os.environ[house.STARTED])


def _look(at: Stage) -> dict[str, str]:
    nodes = list(at.topology)
    seen = each(lambda node: answer(at, at.observer, node), nodes)
    return {
        node.name: "healthy" if word == "http 200" else word if at.runtime.alive(node) else "down"
        for node, word in zip(nodes, seen, strict=True)
    }


def write(runs: Path, state: State) -> None:
    """Whole, or as it was: a full disk is no reason to take down what stands."""
    partial = runs / f".{STATE}"
    with suppress(OSError):
        partial.write_text(json.dumps(asdict(state)))
        partial.replace(runs / STATE)


def down(runs: Path) -> str:
    """End what stands. Gives what there is to say of it."""
    state = read(runs)
    if state is None:
        (runs / STATE).unlink(missing_ok=True)
        return "nothing was up"
    process = psutil.Process(state.pid)
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(DOWN_WITHIN_S)
    except psutil.TimeoutExpired:
        process.kill()  # the kernel then takes everything down
        process.wait(DOWN_WITHIN_S)
    (runs / STATE).unlink(missing_ok=True)
    return f"{len(state.nodes)} nodes are down" if state.since else "nodes that were coming up are down"
