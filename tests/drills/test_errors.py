"""A run that meets an error: what was recorded is judged and reported, and the next run begins."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.rundir import RunDir
from tests.commands import harness
from tests.drills.test_scenarios import AFTER_AN_ERROR, assert_survived, shortened

pytestmark = [pytest.mark.fabric, pytest.mark.drill]

GONE = Path(__file__).parent / "scenarios" / "agency-gone.yaml"
COMPANIES = 12


def test_an_error_ends_one_run_and_loses_nothing(tmp_path: Path) -> None:
    ran = harness("run", str(GONE), AFTER_AN_ERROR, *shortened(AFTER_AN_ERROR), runs=tmp_path)
    assert ran.status == 4, ran
    assert "harness: agency: it is not running" in ran.stderr
    assert "Traceback" not in ran.stderr

    (events,) = tmp_path.glob("agency-gone/*/events.jsonl")
    broken = RunDir(events.parent)
    (mishap,) = broken.events("run.mishap")
    assert mishap.data == {"part": "playing the timeline", "why": "agency: it is not running"}
    assert [event.data["why"] for event in broken.events("run.failed")] == ["agency: it is not running"]
    assert not broken.events("timeline.ended", "run.ended")
    verdict = json.loads((broken.path / "verdict.json").read_text())
    assert verdict["verdict"] == "unknown"
    assert verdict["why"] == "The run ended with an error: agency: it is not running."
    assert [fault["effect"] for fault in verdict["faults"]] == ["proven"], "what came after it was not played"
    assert broken.events("fault.undone"), "what was in force was healed"
    assert (broken.path / "final" / "companies.jsonl").read_text().count("\n") == COMPANIES + 1, (
        "and read back"
    )
    assert "agency: it is not running" in (broken.path / "report.html").read_text()
    assert (broken.path / "junit.xml").exists()

    (events,) = tmp_path.glob(f"{AFTER_AN_ERROR}/*/events.jsonl")
    assert_survived(AFTER_AN_ERROR, events.parent)
