"""A harness that passes everything proves nothing: each defect must fail, in the check that is meant to catch it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import pytest

from harness import library
from tests.commands import harness
from tests.drills.test_scenarios import failures, shortened
from topology.document import load

pytestmark = [pytest.mark.fabric, pytest.mark.drill]

#: A control that is a scenario of its own, and how much later than expected it is at least.
MOVE_AFTER = "move-after-the-disaster"
MARGIN = 1.3
#: Another one: a healthy block takes all users of one that failed at once.
AT_ONCE = "block-widened-at-once"
HUNG_AND_LOST = str(Path(__file__).parent / "scenarios" / "hung-and-lost.yaml")


class Found(NamedTuple):
    """The check that must fail. `counted`: what it must have counted, where it could fail for another defect, too."""

    check: str
    counted: str | None = None


#: What to run, and with which defects: those share a run that do not get in each other's way.
CAUGHT: dict[str, tuple[list[str], dict[str, Found]]] = {
    "replication": (
        ["zone-partition", *shortened("zone-partition"), "--set", "expect.isolation.leaks=0"],
        {
            "asynchronous-replication": Found("answers", "lost"),
            "alerter-broadcasts-again": Found("broadcast", "twice"),
            "mail-provider-drops": Found("mail", "lost"),
            "web-shows-another-company": Found("isolation", "leaks"),
            "mailer-logs-addresses": Found("isolation", "plaintext"),
            "backup-on-the-same-enclosure": Found("backups", "unsafe_databases"),
            "backup-never-restored": Found("backups", "unrestorable"),
        },
    ),
    "hung-and-lost": (
        [HUNG_AND_LOST],
        {
            "balancer-without-health-checks": Found("recovery"),
            "mailer-marks-before-sending": Found("mail", "lost"),
        },
    ),
    "queue": (["mail-host-throttles"], {"mail-provider-one-queue": Found("mail")}),
    # Pages that do not show what was acknowledged are no steady state, so no fault is ever played.
    "durability": (["calm", *shortened("calm")], {"web-acks-before-commit": Found("answers")}),
    "witness": (["az-loss", *shortened("az-loss")], {"two-zones-no-witness": Found("recovery")}),
    "access": (
        ["access-storage-failure", *shortened("access-storage-failure")],
        {"maps-detector-blind": Found("access", "cut_off_s")},
    ),
    # At the end what was lost gets its power back, and Singapore takes writes while Tokyo does.
    "fence": (["region-loss", *shortened("region-loss")], {"unfenced-return": Found("failover")}),
}


#: Too long for every change.
LONG = {"access", "fence", "queue", "witness"}
#: What is counted is the same on a busy machine; what is timed may be unknown there.
COUNTED = {"durability", "replication"}


def _marks(run: str) -> list[pytest.MarkDecorator]:
    return [pytest.mark.nightly] * (run in LONG) + [pytest.mark.beside] * (run in COUNTED)


@pytest.mark.parametrize("run", [pytest.param(run, marks=_marks(run)) for run in sorted(CAUGHT)])
def test_a_defect_fails_in_the_check_that_is_meant_to_catch_it(run: str, tmp_path: Path) -> None:
    words, defects = CAUGHT[run]
    ran = harness("run", *words, *(f"--with={defect}" for defect in defects), "--json", runs=tmp_path)
    assert ran.status == 1, failures(ran)
    checks = json.loads(ran.stdout)["checks"]
    for defect, found in defects.items():
        check = checks[found.check]
        assert check["verdict"] == "fail", f"{defect}: {check['why']}\n{failures(ran)}"
        assert found.counted is None or check["measured"][found.counted] > 0, f"{defect}: {check['why']}"


@pytest.mark.nightly
def test_without_the_defects_the_same_scenario_passes(tmp_path: Path) -> None:
    """So that it is the defect that is caught, and not the scenario that is too hard."""
    ran = harness("run", HUNG_AND_LOST, "--json", runs=tmp_path)
    assert ran.status == 0, failures(ran)


@pytest.mark.nightly
def test_who_moves_after_the_disaster_gets_everything_back_too_late(tmp_path: Path) -> None:
    """Nothing else is wrong with it: the design is what costs the time, not a step that failed."""
    ran = harness("run", MOVE_AFTER, "--json", runs=tmp_path, timeout_s=360)
    assert ran.status == 1, failures(ran)
    checks = json.loads(ran.stdout)["checks"]
    assert [name for name, check in checks.items() if check["verdict"] != "pass"] == ["recovery"], failures(
        ran
    )
    recovery, runbook = checks["recovery"], checks["runbook"]["measured"]
    assert runbook["proven"] == runbook["steps"] == 9
    for name, least in (("users_s", 1.0), ("write_rto_s", MARGIN), ("read_rto_s", MARGIN)):
        assert recovery["measured"][name] is not None, "all of it is back"
        assert recovery["measured"][name] > least * recovery["expected"][name], name


@pytest.mark.nightly
def test_a_block_that_is_widened_at_once_hurts_its_own_users(tmp_path: Path) -> None:
    ran = harness("run", AT_ONCE, "--json", runs=tmp_path, timeout_s=360)
    assert ran.status == 1, failures(ran)
    access = json.loads(ran.stdout)["checks"]["access"]
    assert access["verdict"] == "fail", failures(ran)
    assert access["measured"]["slower_ratio"] > access["expected"]["slower_ratio"]


def test_the_control_and_the_scenario_beside_it_are_held_to_the_same() -> None:
    control, beside = (load(library.scenario(name)).as_fields() for name in (MOVE_AFTER, "region-loss"))
    assert control.need("drill", "").content == beside.need("drill", "").content
    entries = [read.need("timeline", "").as_items().values for read in (control, beside)]
    assert [each.content for each in entries[0][:2]] == [each.content for each in entries[1][:2]]
    expected = [read.need("expect", "").as_fields() for read in (control, beside)]
    for check in ("answers", "recovery", "failover", "broadcast", "mail"):
        assert expected[0].need(check, "").content == expected[1].need(check, "").content, check


def test_every_defect_is_tried() -> None:
    tried = {defect for _, defects in CAUGHT.values() for defect in defects}
    assert {control.stem for control in library.controls()} == {MOVE_AFTER, AT_ONCE}
    for control in library.controls():
        tried |= {each.as_text() for each in load(control).as_fields().need("with", "").as_items()}
    assert {path.stem for path in library.defects()} == tried
