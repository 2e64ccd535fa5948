"""Every outage on record, replayed whole: as it happened and with the countermeasures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness import library
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
