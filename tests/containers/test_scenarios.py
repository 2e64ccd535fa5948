"""Scenarios in containers, shortened as with the local runtime: the same verdict, and nothing is left of the run."""

from __future__ import annotations

import json
from pathlib import Path

import docker
import pytest

from harness.runtime.docker import labels
from harness.runtime.docker.engine import reach
from tests import engine
from tests.commands import harness
from tests.drills.test_scenarios import SHORTENED, failures, shortened

#: Played at every change; the others every night.
AT_EVERY_CHANGE = ("az-loss", "operator-erases", "zone-partition")
#: A write takes longer to come back in containers.
EASED = {"az-loss": ["--set", "expect.recovery.write=35s"]}
WITHIN_S = 420.0

pytestmark = [pytest.mark.drill, pytest.mark.timeout(600)]


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name in AT_EVERY_CHANGE else pytest.mark.nightly)
        for name in sorted(SHORTENED)
    ],
)
def test_the_service_survives_in_containers_as_well(name: str, tmp_path: Path) -> None:
    engine.need()
    words = [*shortened(name), *EASED.get(name, ())]
    ran = harness("run", name, "--runtime", "docker", "--json", *words, runs=tmp_path, timeout_s=WITHIN_S)
    assert ran.status == 0, failures(ran)
    verdict = json.loads(ran.stdout)
    assert verdict["runtime"] == "docker"
    assert all(fault["effect"] == "proven" for fault in verdict["faults"])
    assert left((tmp_path / "latest").resolve()) == []


def left(run: Path) -> list[docker.models.containers.Container]:
    """The containers that the engine still has of a run."""
    client = reach()
    try:
        return client.containers.list(all=True, filters={"label": f"{labels.RUN}={run}"})
    finally:
        client.close()
