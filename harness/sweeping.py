"""Removing what runs left on the disk. Only what a run directory is known by is ever touched."""

from __future__ import annotations

import shutil
from pathlib import Path


def drop_volumes(run: Path) -> int:
    """Remove the nodes' volumes of a run, which nothing reads once it ended. Gives the bytes freed."""
    local = run / "local"
    freed = sum(file.lstat().st_size for file in local.rglob("*") if file.is_file() and not file.is_symlink())
    shutil.rmtree(local, ignore_errors=True)
    return freed


def sweep(runs: Path, everything: bool) -> tuple[int, int]:
    """Bytes freed and folders removed below `runs`. A folder without events.jsonl is not a run's and stays."""
    freed = folders = 0
    for events in sorted(runs.glob("*/*/events.jsonl")):
        run = events.parent
        if (run / "local").exists():
            freed += drop_volumes(run)
            folders += not everything
        if everything:
            freed += sum(file.lstat().st_size for file in run.rglob("*") if file.is_file())
            shutil.rmtree(run)
            folders += 1
    for scenario in runs.glob("*"):
        if everything and scenario.is_dir() and not any(scenario.iterdir()):
            scenario.rmdir()
    latest = runs / "latest"
    if latest.is_symlink() and not latest.exists():
        latest.unlink()
    return freed, folders
