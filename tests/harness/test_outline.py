from __future__ import annotations

from pathlib import Path

from harness import library, plan, scenario
from harness.checks import CHECKS
from harness.outline import outline
from topology.map import Map

EXPECTABLE = {name: check.EXPECTS for name, check in CHECKS.items()}


def told(topology: Map, path: Path, *changes: str) -> str:
    read = scenario.read(path, EXPECTABLE, changes)
    made = plan.make(read, topology, 7, compose="compose.yml", overrides=["d.yml"])
    return "\n".join(outline(made, topology))


def test_a_dry_run_says_what_would_happen(replica: Map) -> None:
    drill = ("drill.people=18000", "drill.clock=60", "timeline.1.at=30s")
    text = told(replica, library.scenario("az-loss"), "ends=130s", "timeline.2.at=125s", *drill)
    for part in (
        "az-loss: Loss of zone A (ゾーンAの喪失)",
        f"compose.yml, {len(replica.nodes)} nodes, with d.yml",
        "18000 people of 40 companies, seed 7",
        "a quarter answers within 11.7 s of the mail, half in 51 s",
        "      0 s  publish kanto-shindo7 (VXSE51 発表 通常)",
        "     30 s  lose singapore.a (consensus-a, database-a, balancer-a,",
        "    125 s  restore singapore.a (undoes 2-lose)",
        "    130 s  ends",
        "  recovery   write 30s, read 15s",
    ):
        assert part in text


def test_a_dry_run_says_what_nothing_takes_back(replica: Map) -> None:
    timeline = "timeline=[{at: 1s, lose: {role: database, is: primary}}]"
    text = told(replica, library.scenario("calm"), timeline)
    assert "lose database that is primary (one of database-a, database-b, whichever is primary then)" in text
    assert "     60 s  heals 1-lose" in text


def test_a_dry_run_counts_both_sides_of_a_cut(replica: Map) -> None:
    text = told(replica, library.scenario("zone-partition"))
    assert "cut singapore.a from singapore.b and singapore.c (9 nodes from 10)" in text
