"""What this machine is like while the run goes on: whether its measurements can be believed."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

import psutil

from harness.beside import Beside
from harness.rundir import Lines, RunDir

SAMPLE_EVERY_S: Final = 0.5
PRESSURE: Final = Path("/proc/pressure/cpu")


class HostSampler(Beside):
    """Appends to host.jsonl twice a second while its context lasts."""

    def __init__(self, run: RunDir) -> None:
        super().__init__("host")
        self._lines = Lines(run.path / "host.jsonl")

    def _work(self) -> None:
        psutil.cpu_percent()
        while not self._over.wait(SAMPLE_EVERY_S):
            self._lines.add(
                {
                    "at_ns": time.monotonic_ns(),
                    "cpu_busy": psutil.cpu_percent() / 100,
                    **_pressure(),
                    "load1": psutil.getloadavg()[0],
                    "mem_available": psutil.virtual_memory().available,
                }
            )


def _pressure() -> dict[str, float | int | None]:
    """Share of the last ten seconds in which some process waited for a CPU, 0 to 1, and for how long ever, in
    microseconds (the kernel counts it every two seconds); null where not told."""
    try:
        some = PRESSURE.read_text().splitlines()[0]
    except OSError:
        return {"psi_some_avg10": None, "psi_some_us": None}
    fields = dict(field.split("=") for field in some.split()[1:])
    return {"psi_some_avg10": float(fields["avg10"]) / 100, "psi_some_us": int(fields["total"])}
