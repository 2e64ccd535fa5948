"""Nodes that are there at first, and those that are there only when a runbook starts them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.faults.looking import answering
from harness.interruption import Interruption
from harness.runbook.commands.nodes import START
from harness.runbook.scene import Scene
from harness.rundir import Clock, RunDir
from harness.runtime.local import LocalRuntime
from harness.startup import bring_up, stage
from harness.vigil import Vigil
from tests.small import two_regions
from tests.topology.service.node import until

pytestmark = [pytest.mark.fabric, pytest.mark.takes(5)]


def test_a_node_that_is_there_later_is_missed_by_nobody_until_a_runbook_starts_it(tmp_path: Path) -> None:
    topology, runtime = two_regions(), LocalRuntime()
    late = replace(topology.nodes["b1"], later=True)
    topology = replace(topology, nodes={**topology.nodes, late.name: late})
    run = RunDir.create(tmp_path, "later", 1)
    run.clock = Clock.now(1.0)
    runtime.prepare(topology, run)
    try:
        at = stage(runtime, topology)
        bring_up(at, run, lambda _healthy, _of: None, lambda: False)
        assert [node.name for node in topology if not runtime.alive(node)] == [late.name]
        (ready,) = run.events("nodes.starting")
        assert late.name not in ready.data["nodes"]

        with Vigil(at, run, Interruption()):
            runtime.kill(topology.nodes["a1"])
            until(lambda: bool(run.events("node.died")), 10, "the other one's end is noticed")
        assert [event.data["node"] for event in run.events("node.died")] == ["a1"]

        said = START.act(Scene(at, run), {"region": late.region})
        assert f"1 of 1 nodes were started ({late.name})" in said
        assert answering(at, [late], 10).proven
    finally:
        runtime.close()
