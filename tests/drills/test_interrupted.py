"""Ctrl-C at any moment: heard once, told in the verdict, and nobody sees a traceback."""

from __future__ import annotations

import signal
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from harness.rundir import RunDir
from tests.commands import PATIENCE, harness, start

pytestmark = [pytest.mark.fabric, pytest.mark.drill, pytest.mark.beside]

SMALL = ("--set", "drill.people=50", "--set", "drill.companies=3", "--set", "ends=5s")
ENDS_WITHIN_S = 30.0


def interrupted(runs: Path, after_s: float, *argv: str, number: int = signal.SIGINT) -> tuple[int, str, str]:
    """Exit status, output and errors of a command that got a signal `after_s` after its first word."""
    process = start(*argv, runs=runs)
    assert process.stderr is not None
    first = process.stderr.readline()
    with suppress(subprocess.TimeoutExpired):
        process.wait(after_s)
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=ENDS_WITHIN_S * PATIENCE)
    return process.returncode, stdout, first + stderr


@pytest.mark.parametrize("after_s", [0.0, 0.3, 2.0])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_ends_soon_and_proves_nothing(tmp_path: Path, after_s: float, number: int) -> None:
    status, stdout, stderr = interrupted(tmp_path, after_s, "run", "calm", "calm", *SMALL, number=number)
    assert status == 3, (stdout, stderr)
    assert "Traceback" not in stderr
    (events,) = tmp_path.glob("calm/*/events.jsonl")  # what was to follow does not
    run = RunDir(events.parent)
    assert [event.data["why"] for event in run.events("run.interrupted")] == [signal.Signals(number).name]
    assert harness("check", str(run.path), runs=tmp_path).status == 3
