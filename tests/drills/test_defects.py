"""A harness that passes everything proves nothing: each defect must fail, in the check that is meant to catch it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness import library
from tests.commands import harness
from tests.drills.test_scenarios import failures, shortened

pytestmark = [pytest.mark.fabric, pytest.mark.drill]

OURS = Path(__file__).parent / "scenarios"
#: defect -> what to run, and the check that must fail.
CAUGHT = {
    "alerter-broadcasts-again": (["db-primary-loss", *shortened("db-primary-loss")], "broadcast"),
    "asynchronous-replication": (["zone-partition", *shortened("zone-partition")], "answers"),
    "balancer-without-health-checks": ([str(OURS / "hung-webs.yaml")], "recovery"),
    "mail-provider-drops": (["calm", *shortened("calm")], "mail"),
    "mailer-marks-before-sending": ([str(OURS / "mailers-lost.yaml")], "mail"),
    # It never gets as far as the fault: pages that do not show what was acknowledged are no steady state.
    "web-acks-before-commit": (["db-primary-loss", *shortened("db-primary-loss")], "answers"),
}


@pytest.mark.parametrize("defect", sorted(CAUGHT))
def test_a_defect_fails_in_the_check_that_is_meant_to_catch_it(defect: str, tmp_path: Path) -> None:
    words, check = CAUGHT[defect]
    ran = harness("run", *words, "--with", defect, "--json", runs=tmp_path)
    assert ran.status == 1, failures(ran)
    assert json.loads(ran.stdout)["checks"][check]["verdict"] == "fail", failures(ran)


@pytest.mark.parametrize("name", ["hung-webs", "mailers-lost"])
def test_without_the_defect_the_same_scenario_passes(name: str, tmp_path: Path) -> None:
    """So that it is the defect that is caught, and not the scenario that is too hard."""
    ran = harness("run", str(OURS / f"{name}.yaml"), "--json", runs=tmp_path)
    assert ran.status == 0, failures(ran)


def test_every_defect_is_tried() -> None:
    assert {path.stem for path in library.defects()} == set(CAUGHT)
