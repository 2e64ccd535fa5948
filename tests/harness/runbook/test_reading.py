"""What a runbook's author meets: every slip is named, with its place and the nearest known word."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.duration import Duration
from harness.runbook import kept, parameters, reading
from harness.runbook.model import Runbook
from tests.small import two_regions
from topology.document import BadInput, parse
from topology.map import Map

MOVE = """\
name: move
title: {en: A move, ja: 移動}
why: To see.
parameters: {from: region, to: region}
roles: {lead: {en: Lead, ja: 指揮}}
steps:
  - name: declare
    title: {en: Declare, ja: 宣言}
    do: {declare: {region: $from}}
    proof: {unreachable: {region: $from}}
    within: 10s
    hold: true
    role: lead
  - name: users
    title: {en: Users of $to, ja: 利用者}
    proof: {users-served: {times: 5}}
    within: 1min
"""
OUTER = """\
name: outer
title: {en: Outer, ja: 外}
why: To see.
parameters: {there: region}
steps:
  - name: move
    title: {en: Move, ja: 移動}
    do: {perform: {runbook: move, from: here, to: $there}}
    proof: {healthy: {region: $there}}
    within: 5s
"""
GIVEN = ("from=here", "to=there")


@pytest.fixture(scope="module")
def topology() -> Map:
    return two_regions()


def read(
    tmp_path: Path, topology: Map, text: str = MOVE, given: tuple[str, ...] = GIVEN, name: str = "move"
) -> Runbook:
    for each, written in (("move", MOVE), ("outer", OUTER), (name, text)):
        (tmp_path / f"{each}.yaml").write_text(written)
    known = reading.written(tmp_path)
    return reading.bind(parse(name, "the command line"), parameters.told(given), known, topology)


def test_parameters_are_filled_in(tmp_path: Path, topology: Map) -> None:
    runbook = read(tmp_path, topology)
    declare, users = runbook.steps
    assert declare.command is not None
    assert declare.command.arguments == {"region": "here"}
    assert declare.within == Duration(10_000)
    assert users.command is None
    assert (declare.hold, users.hold) == (True, False)
    assert declare.role is not None
    assert (declare.role.name, declare.role.title.ja, users.role) == ("lead", "指揮", None)
    assert users.title.en == "Users of there"
    assert str(runbook) == "move (from here, to there)"


def test_a_performed_runbook_is_laid_out_before_its_step(tmp_path: Path, topology: Map) -> None:
    runbook = read(tmp_path, topology, OUTER, ("there=there",), "outer")
    assert [step.name for step in runbook.steps] == ["move/declare", "move/users", "move"]
    assert runbook.steps[2].command is None
    assert reading.within_of(runbook) == Duration(75_000)


def test_a_plan_keeps_all_of_it(tmp_path: Path, topology: Map) -> None:
    from topology.document import dump

    runbook = read(tmp_path, topology, OUTER, ("there=there",), "outer")
    assert kept.from_data(parse(dump(runbook.data()), "plan")) == runbook


@pytest.mark.parametrize(
    ("old", "new", "place", "says"),
    [
        ("{declare: {region", "{declar: {region", "9:10", 'did you mean "declare"?'),
        ("{unreachable: ", "{unreachble: ", "10:13", 'did you mean "unreachable"?'),
        ("    proof: {unreachable: {region: $from}}\n", "", "7:5", 'no "proof"'),
        ("    within: 10s\n", "", "7:5", 'no "within"'),
        ("within: 10s", "within: 0s", "11:13", "a time above 0s"),
        ("within: 10s", "within: soon", "11:13", '"soon"'),
        ("proof: {unreachable: {region: $from}}", "proof: {}", "10:12", "a proof"),
        ("declare: {region: $from}", "declare: {region: $form}", "9:28", 'did you mean "from"?'),
        ("declare: {region: $from}", "declare: {regio: $from}", "9:20", 'did you mean "region"?'),
        ("declare: {region: $from}", "declare: {region: ther}", "9:28", 'did you mean "there"?'),
        ("declare: {region: $from}", "declare", "9:17", "found"),
        (
            "{declare: {region: $from}}",
            "{declare: {region: $from}, fence: {region: $from}}",
            "9:36",
            "one command",
        ),
        ("times: 5", "times: none", "16:35", "a whole number"),
        ("name: users", "name: declare", "14:11", "no step before"),
        ("from: region", "from: regoin", "4:20", 'did you mean "region"?'),
        (
            "role: lead",
            "role: led",
            "13:11",
            'found "led", expected a role of the runbook: lead; did you mean "lead"?',
        ),
        ("roles: {lead: {en: Lead, ja: 指揮}}\n", "", "12:11", "none is named; add roles"),
        ("{lead: {en", "{Lead: {en", "5:15", "small letters"),
        ("lead: {en: Lead, ja: 指揮}", "lead: {en: Lead}", "5:15", 'no "ja"'),
        ("hold: true", "hold: soon", "12:11", "true, if the next step must not start before"),
        ("hold: true", "hodl: true", "12:5", 'did you mean "hold"?'),
        ("name: move", "name: mvoe", "1:7", '"move"'),
        ("title: {en: Declare, ja: 宣言}", "titel: {en: Declare, ja: 宣言}", "8:5", 'did you mean "title"?'),
    ],
)
def test_a_slip_is_named_with_its_place(
    tmp_path: Path, topology: Map, old: str, new: str, place: str, says: str
) -> None:
    assert old in MOVE
    with pytest.raises(BadInput) as bad:
        read(tmp_path, topology, MOVE.replace(old, new, 1))
    assert f"move.yaml:{place}: " in str(bad.value)
    assert says in str(bad.value)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (("from=here",), 'the command line:1:1: found no "to"'),
        (("from=here", "to=ther"), '--set to=ther: found "ther"'),
        (("from=here", "to=here"), '--set to=here: found "here", expected another region than that of from'),
        (("from=here", "to=there", "form=here"), 'did you mean "from"?'),
        (("from=here", "to"), "--set to: "),
    ],
)
def test_what_is_given_is_checked(tmp_path: Path, topology: Map, given: tuple[str, ...], says: str) -> None:
    with pytest.raises(BadInput) as bad:
        read(tmp_path, topology, given=given)
    assert says in str(bad.value)


def test_runbooks_that_loop_are_refused(tmp_path: Path, topology: Map) -> None:
    text = MOVE.replace("{declare: {region: $from}}", "{perform: {runbook: outer, there: there}}")
    with pytest.raises(BadInput) as bad:
        read(tmp_path, topology, text)
    assert "outer.yaml:8:29: " in str(bad.value)
    assert "move -> outer -> move" in str(bad.value)


def test_a_runbook_that_does_not_exist_is_told_with_the_nearest(tmp_path: Path, topology: Map) -> None:
    (tmp_path / "move.yaml").write_text(MOVE)
    known = reading.written(tmp_path)
    with pytest.raises(BadInput, match='did you mean "move"'):
        reading.bind(parse("mvoe", "here"), {}, known, topology)


def test_a_region_is_told_to_people_by_its_title(tmp_path: Path, topology: Map) -> None:
    words = "do: {notice: {ja: '${to.ja}で続けます ($to)', en: 'On in ${to.en}'}}"
    runbook = read(tmp_path, topology, MOVE.replace("do: {declare: {region: $from}}", words))
    command = runbook.steps[0].command
    assert command is not None
    assert command.arguments == {"ja": "そこで続けます (there)", "en": "On in there"}
    with pytest.raises(BadInput, match=r"to\.fr.*did you mean .to\."):
        read(tmp_path, topology, MOVE.replace("do: {declare: {region: $from}}", words.replace(".en", ".fr")))


RESTORE = """\
name: back
title: {en: Back, ja: 復元}
why: To see.
parameters: {from: region, before: instant}
steps:
  - name: restore
    title: {en: Restore, ja: 復元する}
    do: {restore-answers: {from: $from, before: $before}}
    proof: answers-complete
    within: 10s
"""


@pytest.mark.parametrize("before", ["2026-01-15T14:46:40+09:00", "59s", "59500ms"])
def test_an_instant_has_its_zone_or_is_a_time_of_the_timeline(
    tmp_path: Path, topology: Map, before: str
) -> None:
    runbook = read(tmp_path, topology, RESTORE, ("from=here", f"before={before}"), "back")
    command = runbook.steps[0].command
    assert command is not None
    assert command.arguments["before"] == before


@pytest.mark.parametrize("before", ["2026-01-15T14:46:40", "14:46", "yesterday", "59", "5d"])
def test_what_is_no_instant_is_refused(tmp_path: Path, topology: Map, before: str) -> None:
    with pytest.raises(BadInput, match="expected an instant with its zone, such as 2026-01-15T14:46:40"):
        read(tmp_path, topology, RESTORE, ("from=here", f"before={before}"), "back")
