"""Removing what runs left on the disk. Only what a run directory is known by is ever touched."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from harness.incidents.replayed import REPLAYS, RUNS
from harness.rundir import RunDir

#: What `st_blocks` counts in, see stat(2).
BLOCK: Final = 512


def drop_volumes(run: Path) -> int:
    """Remove the nodes' volumes of a run, which nothing reads once it ended. Gives the bytes freed."""
    local = run / "local"
    # What is really on the disk: images of enclosures are mostly holes.
    freed = sum(file.lstat().st_blocks * BLOCK for file in local.rglob("*") if not file.is_dir())
    shutil.rmtree(local, ignore_errors=True)
    return freed


@dataclass(frozen=True)
class Swept:
    """What came of it. `busy` are runs that go on and were left alone, `kept` what could not be removed, and why."""

    freed: int
    folders: int
    busy: tuple[str, ...]
    kept: tuple[str, ...]


def sweep(runs: Path, everything: bool) -> Swept:
    """Clear up below `runs`. A folder that is neither a run's nor a replay's stays."""
    freed = folders = 0
    busy: list[str] = []
    kept: list[str] = []
    for events in sorted(runs.glob("*/*/events.jsonl")):
        run = events.parent
        if RunDir(run).busy:
            busy.append(RunDir(run).name)
            continue
        if (run / "local").exists():
            freed += drop_volumes(run)
            folders += not everything
        if everything:
            size = sum(file.lstat().st_size for file in run.rglob("*") if file.is_file())
            try:
                shutil.rmtree(run)
            except OSError as error:
                kept.append(f"{run}: {error.strerror}")
                continue
            freed, folders = freed + size, folders + 1
    for told in sorted(runs.glob(f"{REPLAYS}/*/*/{RUNS}")) if everything else ():
        shutil.rmtree(told.parent)
        folders += 1
        if not any(told.parent.parent.iterdir()):
            told.parent.parent.rmdir()
    for scenario in runs.glob("*"):
        if everything and scenario.is_dir() and not any(scenario.iterdir()):
            scenario.rmdir()
    latest = runs / "latest"
    if latest.is_symlink() and not latest.exists():
        latest.unlink()
    return Swept(freed, folders, tuple(busy), tuple(kept))
