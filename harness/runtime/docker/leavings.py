"""What earlier runs left in the engine: theirs by the labels, and over by the lock on the run directory."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import docker

from harness.rundir import RunDir
from harness.runtime import CannotRun
from harness.runtime.docker import labels
from harness.runtime.docker.engine import asked, reach
from harness.runtime.docker.removal import remove_all

GONE_WITHIN_S: Final = 60.0


@dataclass(frozen=True)
class Cleared:
    """`removed`: how many things. `busy` are runs that go on and were left alone, `kept`: not removed."""

    removed: int = 0
    busy: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()


def clear() -> Cleared:
    """Remove what runs of this machine left that are over. Where no engine can be asked, nothing was left."""
    try:
        engine = reach()
    except CannotRun:
        return Cleared()
    with asked("tell what it has"):
        found = [marks for marks in _marked(engine) if marks.get(labels.MACHINE) == platform.node()]
    runs = {Path(marks[labels.RUN]) for marks in found if labels.RUN in marks}
    busy = {run for run in runs if RunDir(run).busy}
    over = sorted(runs - busy)
    kept = [left for run in over for left in remove_all(engine, {labels.RUN: str(run)}, GONE_WITHIN_S)]
    engine.close()
    removed = sum(Path(marks[labels.RUN]) in over for marks in found) - len(kept)
    return Cleared(removed, tuple(RunDir(run).name for run in sorted(busy)), tuple(kept))


def _marked(engine: docker.DockerClient) -> Iterator[Mapping[str, str]]:
    """The labels of every container, network and volume that bears one of ours."""
    filters = {"label": labels.SESSION}
    listed: list[list[dict[str, Any]]] = [
        engine.api.containers(all=True, filters=filters),
        engine.api.networks(filters=filters),
        engine.api.volumes(filters=filters)["Volumes"] or [],
    ]
    for each in listed:
        yield from (one["Labels"] for one in each)
