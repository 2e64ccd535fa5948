"""Running the command line as a user does: in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from harness.runtime import house
from harness.runtime.docker import reaper

#: One multiplier stretches every deadline of the tests on slow machines.
PATIENCE: Final = float(os.environ.get("HARNESS_TEST_PATIENCE", "1"))


@dataclass(frozen=True)
class Ran:
    status: int
    stdout: str
    stderr: str


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """As outside of the tests' own house, so that the command builds one for itself, and has a reaper of its own."""
    tests_own = (house.INSIDE, house.STARTED, reaper.SESSION)
    mine = {name: value for name, value in os.environ.items() if name not in tests_own}
    return {**mine, **(extra or {})}


def start(*argv: str, runs: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "harness", "--runs", str(runs), *argv]
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
        start_new_session=True,
    )


def harness(*argv: str, runs: Path, timeout_s: float = 240) -> Ran:
    """Run a command to its end. Raises subprocess.TimeoutExpired."""
    process = start(*argv, runs=runs)
    try:
        stdout, stderr = process.communicate(timeout=timeout_s * PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        stdout, stderr = process.communicate()
        print(stdout, stderr)
        raise
    return Ran(process.returncode, stdout, stderr)
