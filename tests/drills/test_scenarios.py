"""Every scenario that comes with the harness, shortened, from end to end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness import library
from harness.rundir import RunDir
from tests.commands import Ran, harness

pytestmark = [pytest.mark.fabric, pytest.mark.drill]

#: Of the attempts on another company's data a region that stands by answers two a second at each entrance.
EXAMINED = ["expect.isolation.everywhere=30", "expect.isolation.standing_by=150"]
#: Fewer people on a faster drill clock; the faults come earlier and last as long as their recovery needs.
DRILL = ["drill.people=700", "drill.companies=12", "drill.clock=120"]
SHORTENED = {
    "calm": ["ends=20s"],
    "false-alarm": ["drill.clock=60", "ends=17s"],
    "warnings": ["drill.clock=60", "ends=40s"],
    "balancer-loss": ["timeline.1.at=8s", "timeline.2.at=18s", "ends=27s"],
    "db-primary-loss": ["timeline.1.at=8s", "timeline.2.at=34s", "ends=43s"],
    "storage-enclosure-failure": ["timeline.1.at=8s", "timeline.2.at=30s", "ends=42s"],
    "zone-partition": ["timeline.1.at=8s", "timeline.2.at=36s", "ends=46s"],
    # Five minutes of drill time are five real seconds; the hold is ten.
    "operator-erases": ["drill.clock=60", "timeline.1.at=20s", "timeline.2.at=22s", "ends=45s"],
    "az-loss": ["timeline.1.at=8s", "timeline.2.at=34s", "ends=46s", "expect.capacity.answered=100"],
    "region-loss": [
        "timeline.1.at=10s",
        "timeline.2.at=12s",
        "ends=54s",
        "expect.isolation.attempts=5000",
        *EXAMINED,
    ],
    "access-storage-failure": ["drill.people=1000", "timeline.1.at=14s", "timeline.2.at=24s", "ends=32s"],
    "wan-cut": [
        "timeline.1.at=8s",
        "timeline.2.at=16s",
        "ends=28s",
        "expect.isolation.attempts=3000",
        *EXAMINED,
    ],
    "switch-back": [
        "timeline.1.at=8s",
        "timeline.2.at=30s",
        "timeline.3.at=36s",
        "timeline.4.at=54s",
        "ends=90s",
        "expect.isolation.attempts=9000",
        *EXAMINED,
    ],
}
#: Shortened, too, but too long for every change.
LONG = {
    "access-storage-failure",
    "operator-erases",
    "storage-enclosure-failure",
    "switch-back",
    "wan-cut",
    "warnings",
}
#: Played by the test of a run that follows one that broke, so shortened, and held to the same.
AFTER_AN_ERROR = "calm"
#: Its people are played by more than one process; nothing else may come of that.
BY_TWO_WORKERS = "balancer-loss"
#: Played whole, every night, and not at every change: `make nightly`.
NIGHTLY = {
    "blackout-hokkaido",
    "carrier-congestion",
    "feed-receiver-loss",
    "intermittent-storage",
    "mail-host-throttles",
    "mail-provider-site-loss",
    "mail-queue-failure",
    "planned-outage",
    "rebuild-from-code",
    "region-loss-to-virginia",
    "region-return",
    "stale-names",
    "surge",
    "sync-stalls-then-loss",
    "update-destroys",
}


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


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.nightly if name in LONG else ())
        for name in sorted(set(SHORTENED) - {AFTER_AN_ERROR})
    ],
)
def test_the_service_survives(name: str, tmp_path: Path) -> None:
    workers = 2 if name == BY_TWO_WORKERS else 1
    ran = harness("run", name, "--json", "--workers", str(workers), *shortened(name), runs=tmp_path)
    assert ran.status == 0, failures(ran)
    run = (tmp_path / "latest").resolve()
    assert_survived(name, run)
    assert len(list((run / "history").glob("load-*.arrow"))) == workers


def assert_survived(name: str, run: Path) -> None:
    """What a run of this scenario has left says that all of it passed, and is whole."""
    verdict = json.loads((run / "verdict.json").read_text())
    assert verdict["verdict"] == "pass", verdict["why"]
    assert all(fault["effect"] == "proven" for fault in verdict["faults"])
    assert "<svg" in (run / "report.html").read_text() or "data:image" in (run / "report.html").read_text()
    assert (run / "junit.xml").exists()
    *undone, quiet = RunDir(run).events("fault.undone", "quiet")
    assert all(quiet.at_ns - healed.at_ns >= 2e9 for healed in undone), (
        "the probes went on, and were seen served"
    )
    if name != "false-alarm":
        assert verdict["checks"]["answers"]["measured"]["acknowledged"] > 100


def test_every_scenario_is_tried() -> None:
    assert {path.stem for path in library.scenarios()} == set(SHORTENED) | NIGHTLY
