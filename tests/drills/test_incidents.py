"""Every outage on record, replayed whole: as it happened and with the countermeasures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness import library
from harness.incidents.model import AS_HAPPENED
from harness.incidents.replayed import Replay
from tests.commands import harness

pytestmark = [pytest.mark.fabric, pytest.mark.drill, pytest.mark.nightly]


@pytest.mark.parametrize("name", [folder.name for folder in library.incidents()])
@pytest.mark.timeout(1500)
def test_an_incident_loses_what_was_lost_and_its_countermeasures_hold(name: str, tmp_path: Path) -> None:
    ran = harness("replay", name, "--json", runs=tmp_path, timeout_s=1400)
    told = json.loads(ran.stdout)
    assert (ran.status, told["verdict"]) == (0, "pass"), told
    (replayed,) = (tmp_path / "replays" / name).iterdir()
    report = (replayed / "report.html").read_text()
    assert "not explained" not in report, "a moment on record and ours differ, and nothing says why"
    if name.startswith("canon-mj"):
        mail_vanished_before_authentication_was_back(Replay.read(replayed))


def mail_vanished_before_authentication_was_back(replay: Replay) -> None:
    """From when the mailboxes were switched on until the authentication database answered, and at no other time."""
    run = replay.runs[AS_HAPPENED]
    rows = replay.judgements()[AS_HAPPENED].findings["mail"].evidence
    vanished = [row["last_s"] for row in rows if isinstance(row, dict) and "vanished" in str(row["what"])]
    steps = {
        (event.kind, event.data["step"]): event.at_ns for event in run.events("step.started", "step.proven")
    }
    start_ns = run.clock.start_ns
    on_s = (steps["step.started", "mailboxes"] - start_ns) / 1e9
    back_s = (steps["step.proven", "authentication"] - start_ns) / 1e9
    assert vanished
    assert all(isinstance(at_s, int | float) and on_s <= at_s <= back_s for at_s in vanished), (on_s, back_s)
