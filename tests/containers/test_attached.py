"""A scenario on a replica that somebody has brought up by hand: it is played there, and the replica stays."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands import harness
from tests.containers.composed import Project
from tests.drills.test_scenarios import shortened

CLOCK = "120"
REPLICA = Project("replica-attached-to", {"CLOCK_SCALE": CLOCK})

pytestmark = [pytest.mark.drill, pytest.mark.nightly, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def up() -> Iterator[None]:
    with REPLICA.up():
        yield


def test_a_scenario_plays_on_a_running_project_once_and_leaves_it_running(up: None, tmp_path: Path) -> None:
    before = {each["Service"]: each["ID"] for each in REPLICA.containers()}
    words = ("run", "balancer-loss", "--attach", REPLICA.name, "--json", *shortened("balancer-loss"))
    ran = harness(*words, runs=tmp_path, timeout_s=300)
    assert ran.status == 0, f"{ran.stdout[-2000:]}\\n{ran.stderr[-2000:]}"
    assert json.loads(ran.stdout)["runtime"] == "docker"
    after = REPLICA.containers()
    assert {each["Service"]: each["ID"] for each in after} == before
    assert {each["State"] for each in after} == {"running"}
    again = harness(*words, runs=tmp_path, timeout_s=120)
    assert again.status == 4, again.stderr[-2000:]
    assert "has been used: 12 companies are enrolled there" in again.stderr


def test_another_clock_than_the_scenarios_is_refused_with_how_to_set_it(up: None, tmp_path: Path) -> None:
    ran = harness("run", "az-loss", "--attach", REPLICA.name, runs=tmp_path)
    assert ran.status == 4
    assert (
        f"runs with CLOCK_SCALE={CLOCK}, this run needs 30; CLOCK_SCALE=30 docker compose up --wait"
        in ran.stderr
    )
    assert not (tmp_path / "az-loss").exists(), "nothing was begun"
