"""Whatever ends the harness, at whatever moment, the kernel leaves nothing of it."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from harness.rundir import RunDir
from harness.runtime import house
from tests.commands import PATIENCE, harness, start
from tests.topology.service.node import until

pytestmark = [pytest.mark.fabric, pytest.mark.drill]

GONE_WITHIN_S = 5.0
#: On this clock the hold ends five seconds after the telegram, so that all kinds of moments come soon.
SMALL = ("--set", "drill.people=200", "--set", "drill.companies=5", "--set", "drill.clock=120")
#: Within these seconds the nodes come up; and these after it began, mails go out and answers come in.
COMING_UP_S, ANSWERING_S = 20.0, 8.0
PLAYS_WITHIN_S = 60.0


def of_house(pid: int) -> list[str]:
    """Every living process that carries that house's mark."""
    mark = f"{house.INSIDE}={pid}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if mark in (entry / "environ").read_bytes().split(b"\0"):
                    found.append((entry / "cmdline").read_text().replace("\0", " "))
            except OSError:
                continue
    return found


def below(pid: int) -> set[int]:
    """All descendants of a process."""
    found: set[int] = set()
    front = [pid]
    while front:
        parent = front.pop()
        for thread in listed(f"/proc/{parent}/task"):
            try:
                children = Path(f"/proc/{parent}/task/{thread}/children").read_text()
            except OSError:
                continue
            new = {int(child) for child in children.split()} - found
            found |= new
            front += new
    return found


def listed(folder: str) -> list[str]:
    """What is in a folder of /proc; nothing if its process just ended."""
    try:
        return os.listdir(folder)
    except OSError:
        return []


def left_behind() -> dict[str, set[str]]:
    """What could be left on this machine: mounts, interfaces, loop devices, namespaces."""
    namespaces = set()
    for pid in filter(str.isdigit, listed("/proc")):
        for kind in ("net", "mnt", "pid"):
            with contextlib.suppress(OSError):
                namespaces.add(os.readlink(f"/proc/{pid}/ns/{kind}"))
    return {
        "mounts": {line.split(" ", 4)[-1] for line in Path("/proc/self/mountinfo").read_text().splitlines()},
        "interfaces": set(os.listdir("/sys/class/net")),
        "loop devices": {str(path) for path in Path("/sys/block").glob("loop*/loop")},
        "namespaces": namespaces,
    }


def playing(runs: Path) -> bool:
    return any("timeline.started" in events.read_text() for events in runs.glob("calm/*/events.jsonl"))


@pytest.mark.parametrize("round_number", range(3))
def test_sigkill_at_a_random_moment_leaves_nothing(tmp_path: Path, round_number: int) -> None:
    while_playing = round_number == 0
    moment_s = random.uniform(0.0, ANSWERING_S) if while_playing else random.uniform(0.2, COMING_UP_S)
    before = left_behind()
    process = start("run", "calm", *SMALL, runs=tmp_path)
    if while_playing:
        until(lambda: playing(tmp_path), PLAYS_WITHIN_S * PATIENCE, "the timeline is played")
    try:
        process.wait(moment_s)
        pytest.fail(f"the run ended by itself: {process.communicate()}")
    except subprocess.TimeoutExpired:
        pass
    family = below(process.pid)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    deadline = time.monotonic() + GONE_WITHIN_S * PATIENCE
    while time.monotonic() < deadline:
        living = {pid for pid in family if Path(f"/proc/{pid}").exists()}
        marked = of_house(process.pid)
        after = left_behind()
        new = {what: after[what] - before[what] for what in before if after[what] - before[what]}
        if not living and not marked and not new:
            break
        time.sleep(0.05)
    else:
        pytest.fail(f"killed after {moment_s:.1f} s, still there: {living} {marked} {new}")
    if (tmp_path / "latest").exists():
        run = RunDir((tmp_path / "latest").resolve())
        assert all(event.kind for event in run.events())
        checked = harness("check", str(run.path), runs=tmp_path)
        assert checked.status == 3, checked
        assert '"unknown"' in (run.path / "verdict.json").read_text()
