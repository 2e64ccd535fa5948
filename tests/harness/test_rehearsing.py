"""Rehearsals as they are planned: what of the scenario's timeline they take the place of."""

from __future__ import annotations

import pytest

from harness import library, plan, scenario
from harness.checks import CHECKS
from harness.plan import Plan
from harness.rehearsing import Wish
from harness.runbook import parameters, reading
from topology.document import BadInput, Place, Scalar
from topology.map import Map

CHECKED = {name: check.EXPECTS for name, check in CHECKS.items()}


def made(topology: Map, name: str, of: str, *given: str, auto: bool = False) -> Plan:
    known = reading.written(reading.SUPPLIED)
    wish = Wish(Scalar(name, name, Place("here")), parameters.told(given), known, auto)
    read = scenario.read(library.scenario(of), CHECKED)
    return plan.make(read, read.standing(topology), 1, compose="compose.yml", rehearse=wish)


def verbs(planned: Plan) -> list[tuple[float, str]]:
    return [(entry.at_s, entry.verb) for entry in planned.timeline]


def test_a_person_takes_the_place_of_the_timeline(whole: Map) -> None:
    planned = made(whole, "region-move", "region-loss")
    assert verbs(planned) == [(0.0, "publish"), (40.0, "lose")]
    assert planned.rehearsal is not None
    assert str(planned.rehearsal.runbook) == "region-move (from singapore, to tokyo)"
    assert (planned.rehearsal.performance, planned.rehearsal.at_s) == ("rehearsal", 45.0)
    assert planned.performs


def test_by_itself_it_is_an_entry_of_the_timeline(whole: Map) -> None:
    planned = made(whole, "region-move", "region-loss", "to=virginia", auto=True)
    assert verbs(planned) == [(0.0, "publish"), (40.0, "lose"), (45.0, "run")]
    assert planned.rehearsal is not None
    assert (planned.rehearsal.performance, planned.rehearsal.auto) == (planned.timeline[2].id, True)
    assert planned.rehearsal.runbook == planned.timeline[2].runbook
    assert planned.rehearsal.runbook.arguments == {"from": "singapore", "to": "virginia"}


def test_only_what_is_rehearsed_is_taken_out(whole: Map) -> None:
    before = made(whole, "region-return", "switch-back")
    assert [entry.runbook.name for entry in before.timeline if entry.runbook] == ["planned-move"]


def test_another_runbook_than_the_scenarios_takes_the_place_of_all_and_begins_with_the_fault(
    whole: Map,
) -> None:
    planned = made(
        whole, "move-after-the-disaster", "region-loss", "from=singapore", "to=tokyo", "archive=virginia"
    )
    assert verbs(planned) == [(0.0, "publish"), (40.0, "lose")]
    assert planned.rehearsal is not None
    assert planned.rehearsal.at_s == 40.0


@pytest.mark.parametrize("auto", [True, False])
def test_the_plan_keeps_it(whole: Map, auto: bool) -> None:
    planned = made(whole, "region-move", "region-loss", auto=auto)
    assert Plan.from_yaml(planned.to_yaml()) == planned


@pytest.mark.parametrize(
    ("name", "given", "says"),
    [
        ("region-mov", (), 'here: found "region-mov"'),
        ("region-mov", (), 'did you mean "region-move"?'),
        ("region-move", ("to=tokio",), 'did you mean "tokyo"?'),
        ("region-move", ("form=tokyo",), 'did you mean "from"?'),
        ("planned-move", (), 'no "from"'),
    ],
)
@pytest.mark.parametrize("auto", [True, False])
def test_what_cannot_be_rehearsed_is_refused(
    whole: Map, name: str, given: tuple[str, ...], says: str, auto: bool
) -> None:
    with pytest.raises(BadInput) as bad:
        made(whole, name, "region-loss", *given, auto=auto)
    assert says in str(bad.value)
