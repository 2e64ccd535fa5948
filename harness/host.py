"""What this machine is like while the run goes on: whether its measurements can be believed."""

from __future__ import annotations

import os
import time
from pathlib import Path
from tempfile import TemporaryFile
from typing import Final

import psutil

from harness.beside import Beside
from harness.rundir import Lines, RunDir

SAMPLE_EVERY_S: Final = 0.5
PRESSURE: Final = Path("/proc/pressure/cpu")
#: What a database writes at least when it commits.
SYNCED: Final = b"\0" * 4096


def settle() -> float:
    """Wait until all that this machine has to write is on its disk, and tell how many seconds it took.

    What was installed or unpacked just before is written back half a minute later, and a consensus store or a database
    that syncs then waits for all of it, for seconds: a fault that no scenario asked for.
    """
    began_s = time.monotonic()
    os.sync()
    return time.monotonic() - began_s


class HostSampler(Beside):
    """Appends to host.jsonl twice a second while its context lasts, and less often while the disk takes nothing."""

    def __init__(self, run: RunDir) -> None:
        super().__init__("host")
        self._lines = Lines(run.path / "host.jsonl")
        self._folder = run.path

    def _work(self) -> None:
        psutil.cpu_percent()
        # A file without a name, on the disk that the nodes' own data is on: nothing of it is left, whatever happens.
        with TemporaryFile(dir=self._folder, buffering=0) as synced:
            while not self._over.wait(SAMPLE_EVERY_S):
                sync_s = _sync_s(synced.fileno())
                self._lines.add(
                    {
                        "at_ns": time.monotonic_ns(),
                        "cpu_busy": psutil.cpu_percent() / 100,
                        **_pressure(),
                        "load1": psutil.getloadavg()[0],
                        "mem_available": psutil.virtual_memory().available,
                        "sync_s": sync_s,
                    }
                )


def _sync_s(file: int) -> float | None:
    """Seconds until a small write was on the disk; None where it takes none."""
    began_s = time.monotonic()
    try:
        os.pwrite(file, SYNCED, 0)
        os.fdatasync(file)
    except OSError:
        return None
    return time.monotonic() - began_s


def _pressure() -> dict[str, float | int | None]:
    """Share of the last ten seconds in which some process waited for a CPU, 0 to 1, and for how long ever, in
    microseconds (the kernel counts it every two seconds); null where not told."""
    try:
        some = PRESSURE.read_text().splitlines()[0]
    except OSError:
        return {"psi_some_avg10": None, "psi_some_us": None}
    fields = dict(field.split("=") for field in some.split()[1:])
    return {"psi_some_avg10": float(fields["avg10"]) / 100, "psi_some_us": int(fields["total"])}
