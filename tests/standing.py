"""A topology of real nodes, up and healthy for as long as tests need it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.failure import TROUBLES
from harness.faults import Stage
from harness.faults.looking import answering
from harness.rundir import RunDir
from harness.runtime.local import LocalRuntime
from topology.map import Map


@contextmanager
def standing(topology: Map, observer: str, folder: Path, name: str) -> Iterator[Stage]:
    """On the local runtime, looked at from `observer`; `name` is that of the run, below `folder`."""
    runtime = LocalRuntime()
    for how in TROUBLES:
        for enclosure in topology.enclosures:
            runtime.foresee_failure(enclosure, how)
    runtime.prepare(topology, RunDir.create(folder, name, 1))
    try:
        at = Stage(runtime, topology, topology.nodes[observer])
        for node in topology:
            runtime.start(node)
        assert answering(at, list(topology), 30).proven
        yield at
    finally:
        runtime.close()
