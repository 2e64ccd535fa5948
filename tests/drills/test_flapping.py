"""A runbook whose ground moves: the wide-area link flaps while a region is left over it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.rundir import RunDir
from tests.commands import harness
from tests.drills.test_scenarios import failures

pytestmark = [pytest.mark.fabric, pytest.mark.drill, pytest.mark.nightly]

SCENARIO = Path(__file__).parent / "scenarios" / "flapping-link.yaml"


def test_a_move_over_a_link_that_flaps_loses_nothing(tmp_path: Path) -> None:
    ran = harness("run", str(SCENARIO), "--json", runs=tmp_path)
    assert "Traceback" not in ran.stderr
    verdict = json.loads(ran.stdout)
    assert all(fault["effect"] == "proven" for fault in verdict["faults"]), failures(ran)
    assert ran.status == 0, failures(ran)
    run = RunDir((tmp_path / "latest").resolve())
    cuts, (ended,) = run.events("fault.injected"), run.events("runbook.ended")
    assert len(cuts) == 3
    assert cuts[0].at_ns < ended.at_ns, "it flapped during the move"
