"""Every scenario that comes with the harness, shortened, from end to end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness import library
from tests.commands import Ran, harness

pytestmark = [pytest.mark.fabric, pytest.mark.drill]

#: Fewer people on a faster drill clock; the faults come earlier and last as long as their recovery needs.
SHORTENED = {
    "calm": ["drill.people=600", "drill.companies=10", "ends=25s", "drill.clock=120"],
    "false-alarm": ["drill.people=200", "drill.companies=5", "ends=18s", "drill.clock=60"],
    "balancer-loss": ["timeline.1.at=10s", "timeline.2.at=20s", "ends=32s"],
    "db-primary-loss": ["timeline.1.at=10s", "timeline.2.at=38s", "ends=50s"],
    "zone-partition": ["timeline.1.at=10s", "timeline.2.at=40s", "ends=54s"],
    "az-loss": ["timeline.1.at=10s", "timeline.2.at=38s", "ends=54s"],
}
DRILL = ["drill.people=1500", "drill.companies=12", "drill.clock=120"]


def shortened(name: str) -> list[str]:
    """The options that make a scenario short enough for a test."""
    return [word for change in (*DRILL, *SHORTENED[name]) for word in ("--set", change)]


def failures(ran: Ran) -> str:
    """What the checks that did not pass say, for the message of a failed test."""
    try:
        checks = json.loads(ran.stdout)["checks"]
    except ValueError:
        return f"{ran.stdout[-2000:]}\n{ran.stderr[-2000:]}"
    return "\n".join(
        f"{name}: {check['why']}" for name, check in checks.items() if check["verdict"] != "pass"
    )


@pytest.mark.parametrize("name", sorted(SHORTENED))
def test_the_service_survives(name: str, tmp_path: Path) -> None:
    ran = harness("run", name, "--json", *shortened(name), runs=tmp_path)
    assert ran.status == 0, failures(ran)
    verdict = json.loads(ran.stdout)
    assert all(fault["effect"] == "proven" for fault in verdict["faults"])
    run = (tmp_path / "latest").resolve()
    assert "<svg" in (run / "report.html").read_text() or "data:image" in (run / "report.html").read_text()
    assert (run / "junit.xml").exists()
    if name != "false-alarm":
        assert verdict["checks"]["answers"]["measured"]["acknowledged"] > 100


def test_every_scenario_is_tried() -> None:
    assert {path.stem for path in library.scenarios()} == set(SHORTENED)
