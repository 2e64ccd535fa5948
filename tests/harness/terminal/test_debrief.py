"""What somebody who rehearsed is told, word for word."""

from __future__ import annotations

import re

from harness.rundir import Json
from harness.rundir.verdict import Finding, Verdict
from harness.terminal import panel
from harness.terminal.debrief import debrief

FREE: dict[str, Json] = {
    "failed": 0,
    "unknown": 0,
    "people": 0,
    "answers_lost": 0,
    "mails_late": 0,
    "mails_lost": 0,
}


def step(name: str, **more: Json) -> dict[str, Json]:
    role = {"name": "lead", "title": {"en": "Lead", "ja": "指揮"}}
    row: dict[str, Json] = {"step": name, "role": role, "hold": False, "within_s": 10.0, "by": ["Sato"]}
    return {**row, "attempts": 1, "begun_s": 13.0, "proven_s": 14.5, "took_s": 1.5, **more}


def deviation(what: str, name: str, behind: str = "", ended: bool = True, **cost: Json) -> dict[str, Json]:
    row: dict[str, Json] = {"what": what, "step": name, "behind": behind, "ended": ended}
    return {**row, "from_s": 13.0, "until_s": 22.0, "cost": {**FREE, **cost}}


def told(*deviations: Json, first_notice_s: float | None = 570.0) -> str:
    never: dict[str, Json] = {"begun_s": None, "proven_s": None, "took_s": None, "attempts": 0, "by": []}
    detail: dict[str, Json] = {
        "runbook": "move",
        "within_s": 1800.0,
        "steps": [step("fence", hold=True, attempts=2), step("promote", **never)],
        "deviations": list(deviations),
    }
    finding = Finding(Verdict.FAIL, "", {"first_notice_s": first_notice_s}, {}, (), detail)
    renderable = debrief(finding)
    assert renderable is not None
    return panel.ansi(renderable, 200)


def plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def test_where_nothing_was_rehearsed_there_is_none() -> None:
    assert debrief(Finding(Verdict.PASS, "No runbook was rehearsed.")) is None


def test_every_step_stands_beside_its_plan() -> None:
    lines = [" ".join(line.split()) for line in plain(told()).splitlines()]
    assert lines[2] == "fence HOLD Sato (Lead) 13.0 s 1.5 s 10.0 s proven, 2 attempts"
    assert lines[3] == "promote - - 10.0 s never begun"


def test_the_first_notice_is_held_against_thirty_minutes() -> None:
    assert "first notice after 10 min of drill time, within 30" in plain(told())
    assert "first notice after 38 min of drill time, not within 30" in plain(told(first_notice_s=2280.0))
    assert "users were never told of a fault" in plain(told(first_notice_s=None))


def test_a_skipped_hold_point_says_what_it_cost_in_red() -> None:
    text = told(deviation("skipped", "fence", "promote", failed=132, mails_lost=4))
    assert "HOLD POINT fence was skipped: promote began at 13.0 s; proven at 22.0 s" in plain(text)
    assert "in these 9.0 s: 132 answers refused or failed, 4 mails lost" in plain(text)
    assert "\x1b[1;31mHOLD POINT fence" in text


def test_other_deviations_say_what_they_are() -> None:
    text = plain(
        told(
            deviation("out of order", "notice", "start", ended=False, answers_lost=None),
            deviation("late", "names"),
            deviation("not proven", "users", ended=False),
        )
    )
    assert "notice was passed over: start began at 13.0 s; never proven" in text
    assert "in these 9.0 s: acknowledged answers lost: not known" in text
    assert "names was due at 13.0 s; proven at 22.0 s\n  in these 9.0 s: it cost nothing" in text
    assert "users was never proven" in text
