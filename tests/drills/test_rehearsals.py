"""Rehearsals from end to end: the fault really happens, and somebody sits at a terminal, or nobody does any more."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from harness.rundir import Json, RunDir
from tests import terminal
from tests.commands import PATIENCE, harness
from tests.drills.test_scenarios import failures, shortened
from tests.terminal import Terminal

pytestmark = [pytest.mark.fabric, pytest.mark.drill, pytest.mark.nightly, pytest.mark.timeout(460)]

UP_WITHIN_S = 120.0
ENDS_WITHIN_S = 180.0


@pytest.fixture
def screen() -> Terminal:
    return Terminal()


def sit(screen: Terminal, runs: Path, *more: str) -> subprocess.Popen[bytes]:
    """Somebody who rehearses the move of a region, once the clock runs."""
    wanted = ("rehearse", "region-move", "--scenario", "region-loss", *shortened("region-loss"), *more)
    process = terminal.start(screen, *wanted, runs=runs)
    screen.shows("choose a step", UP_WITHIN_S)
    return process


def take(screen: Terminal, runs: Path, step: str) -> None:
    """Choose a step, and wait until it is proven."""
    run = RunDir((runs / "latest").resolve())
    screen.types(step)
    screen.until(lambda: step in [event.data["step"] for event in run.events("step.proven")], step, 100)


def judged(runs: Path, name: str = "rehearsal") -> dict[str, Json]:
    verdict = json.loads((runs / "latest" / "verdict.json").read_text())
    finding = verdict["checks"][name]
    assert isinstance(finding, dict)
    return finding


def healed(runs: Path) -> bool:
    run = RunDir((runs / "latest").resolve())
    return [event.data["fault"] for event in run.events("fault.undone")] == ["2-lose"]


@pytest.mark.parametrize(
    ("runbook", "scenario"),
    [
        ("region-move", "region-loss"),
        ("hosted-mail-recovery", "canon-mj-2020-04-30/with-countermeasures"),
    ],
)
def test_a_runbook_still_works_by_itself(runbook: str, scenario: str, tmp_path: Path) -> None:
    ran = harness(
        "rehearse", runbook, "--scenario", scenario, "--auto", "--json", runs=tmp_path, timeout_s=420
    )
    assert ran.status == 0, failures(ran)
    finding = judged(tmp_path)
    assert finding["measured"] == {**finding["measured"], "skipped": 0, "late": 0, "out_of_order": 0}  # type: ignore[dict-item]
    assert 'id="rehearsal"' in (tmp_path / "latest" / "report.html").read_text()


def test_a_person_moves_a_region_and_is_told_what_a_skipped_hold_point_cost(
    tmp_path: Path, screen: Terminal
) -> None:
    process = sit(screen, tmp_path, "--who", "operator=Sato")
    screen.shows("primary: database-", 20)
    screen.shows("Since the fault", 60)
    for step in ("declare", "first-notice"):
        take(screen, tmp_path, step)
    # The fence is skipped. The register that it stands in refuses the promotion; the rehearsal does not.
    screen.types("promote")
    screen.shows("HOLD  skipped: fence is not begun, and promote begins. That is recorded.")
    screen.shows("promote: failed: promote was refused", 60)
    for step in ("fence", "lag", "promote", "start", "serve", "names", "users", "notice"):
        take(screen, tmp_path, step)
    screen.shows("every step is proven", 20)
    screen.shows("HOLD POINT fence was skipped: promote began at", ENDS_WITHIN_S)
    assert process.wait(ENDS_WITHIN_S * PATIENCE) == 1
    finding = judged(tmp_path)
    assert finding["why"] == "Hold points skipped: 1, expected at most 0."
    row, *_ = finding["evidence"]  # type: ignore[misc]
    assert isinstance(row, dict)
    assert (row["what"], row["step"], row["behind"], row["ended"]) == ("skipped", "fence", "promote", True)
    assert judged(tmp_path, "runbook")["measured"]["proven"] == 10  # type: ignore[index,call-overload]


def test_who_walks_away_leaves_nothing_broken(tmp_path: Path, screen: Terminal) -> None:
    process = sit(screen, tmp_path, "--patience", "15s")
    screen.shows("users are to be told within", 60)
    assert process.wait(ENDS_WITHIN_S * PATIENCE) == 3
    assert healed(tmp_path)
    assert judged(tmp_path)["why"] == "The rehearsal was abandoned: nobody touched a key for 15 s."
    screen.shows("UNKNOWN: The run was interrupted (the rehearsal was abandoned: nobody touched a key", 10)


def test_who_closes_the_terminal_leaves_nothing_broken(tmp_path: Path, screen: Terminal) -> None:
    process = sit(screen, tmp_path)
    screen.shows("users are to be told within", 60)
    take(screen, tmp_path, "declare")
    screen.close()
    assert process.wait(ENDS_WITHIN_S * PATIENCE) == 3
    assert healed(tmp_path)
    assert str(judged(tmp_path)["why"]).startswith("The rehearsal was abandoned: ")
    assert (tmp_path / "latest" / "report.html").exists()
    assert harness("check", "latest", runs=tmp_path).status == 3
