"""Whether the harness tells the truth about time: an outage whose length is known, as every carrier measures it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.rundir import RunDir
from tests.commands import harness
from tests.drills.test_scenarios import failures

pytestmark = [pytest.mark.fabric, pytest.mark.drill]

SCENARIO = Path(__file__).parent / "scenarios" / "hung-balancers.yaml"
HUNG_S = 2.0
WITHIN_S = 0.15


def test_two_seconds_of_silence_are_measured_as_two_seconds_at_every_carrier(tmp_path: Path) -> None:
    ran = harness("run", str(SCENARIO), "--json", runs=tmp_path)
    assert ran.status == 0, failures(ran)
    verdict = json.loads(ran.stdout)
    run = RunDir((tmp_path / "latest").resolve())
    (injected,), (undone,) = run.events("fault.injected"), run.events("fault.undone")
    assert (undone.at_ns - injected.at_ns) / 1e9 == pytest.approx(HUNG_S, abs=0.05), (
        "the fault itself was not exact"
    )
    effects = verdict["checks"]["recovery"]["detail"]["effects"]
    measured = {
        (effect["capability"], effect["vantage"]): effect["outage_s"]
        for effect in effects
        if effect["kind"] == "fault" and effect["capability"] in ("read", "write")
    }
    assert len(measured) == 6, "two capabilities at three carriers"
    for where, outage_s in measured.items():
        assert outage_s == pytest.approx(HUNG_S, abs=WITHIN_S), where
