"""`run` in a timeline: what is checked before anything starts, and what the plan keeps."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import library, plan, scenario
from harness.checks import CHECKS
from harness.plan import Plan
from topology.document import BadInput
from topology.map import Map

CHECKED = {name: check.EXPECTS for name, check in CHECKS.items()}
RUN = "{runbook: rebuild-stateless, region: singapore}"


def made(tmp_path: Path, replica: Map, run: str = RUN) -> Plan:
    text = (library.SCENARIOS / "calm.yaml").read_text()
    begin = text.index("timeline:")
    end = text.index("ends:")
    entries = f"timeline:\n  - {{at: 0s, publish: kanto-shindo7}}\n  - {{at: 1s, run: {run}}}\n"
    path = tmp_path / "s.yaml"
    path.write_text(text[:begin] + entries + text[end:])
    read = scenario.read(path, CHECKED)
    return plan.make(read, replica.only(["singapore"]), 1, compose="compose.yml")


def test_the_plan_keeps_every_step(tmp_path: Path, replica: Map) -> None:
    planned = made(tmp_path, replica)
    assert Plan.from_yaml(planned.to_yaml()) == planned
    (entry,) = [entry for entry in planned.timeline if entry.verb == "run"]
    assert entry.target == "rebuild-stateless (region singapore)"
    assert entry.runbook is not None
    assert "users" in [step.name for step in entry.runbook.steps]


def test_a_runbook_is_no_fault(tmp_path: Path, replica: Map) -> None:
    assert made(tmp_path, replica).faults == ()


@pytest.mark.parametrize(
    ("run", "says"),
    [
        ("{runbook: rebuild-statless, region: singapore}", 'did you mean "rebuild-stateless"?'),
        ("{runbook: rebuild-stateless, region: singapor}", 'did you mean "singapore"?'),
        ("{runbook: rebuild-stateless}", 'no "region"'),
        ("rebuild-stateless", 'no "region"'),
        ("{runbook: rebuild-stateless, regio: singapore}", 'did you mean "region"?'),
        ("{region: singapore}", 'no "runbook"'),
    ],
)
def test_what_cannot_be_performed_is_refused_with_its_place(
    tmp_path: Path, replica: Map, run: str, says: str
) -> None:
    with pytest.raises(BadInput) as bad:
        made(tmp_path, replica, run)
    assert "s.yaml:" in str(bad.value)
    assert says in str(bad.value)


def test_a_scenarios_own_runbook_goes_before_the_supplied_one(tmp_path: Path, replica: Map) -> None:
    folder = tmp_path / "runbooks"
    folder.mkdir()
    (folder / "rebuild-stateless.yaml").write_text(
        "name: rebuild-stateless\ntitle: {en: mine, ja: 私}\nwhy: To see.\nparameters: {region: region}\n"
        "steps:\n  - {name: look, title: {en: l, ja: 見}, proof: {healthy: {region: $region}}, within: 5s}\n"
    )
    (entry,) = [entry for entry in made(tmp_path, replica).timeline if entry.verb == "run"]
    assert entry.runbook is not None
    assert [step.name for step in entry.runbook.steps] == ["look"]
