"""Rehearsals as a run recorded them: what was done, and what each deviation cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from harness.checks import rehearsal
from harness.rundir import Json
from harness.rundir.verdict import Finding, Verdict
from tests.harness.checks.recorded import Recorded, answered

Record = Callable[..., Recorded]
STEPS = {"fence": True, "promote": False, "notice": False}


def opened(run: Recorded, at_s: float = 0.0) -> None:
    run.rehearsal("move", 12.0)
    run.event(at_s, "rehearsal.opened", performance="rehearsal", runbook="move")
    role = {"name": "lead", "title": {"en": "Lead", "ja": "指揮"}}
    rows = [
        {"step": step, "title": {"en": step, "ja": step}, "within_s": 10.0, "hold": hold, "role": role}
        for step, hold in STEPS.items()
    ]
    run.event(at_s, "runbook.started", performance="rehearsal", runbook="move", steps=rows)


def done(run: Recorded, step: str, from_s: float, until_s: float, what: str = "proven") -> None:
    run.event(from_s, "step.started", performance="rehearsal", step=step, by="Sato", role="lead")
    run.event(until_s, f"step.{what}", performance="rehearsal", step=step, proof="seen")


def closed(run: Recorded, at_s: float = 60.0) -> None:
    run.event(at_s, "runbook.ended", performance="rehearsal", runbook="move", outcome="proven", why="")
    run.event(at_s, "rehearsal.ended", performance="rehearsal", outcome="proven", why="")


def rows(finding: Finding, name: str) -> list[Mapping[str, Json]]:
    found = finding.detail[name]
    assert isinstance(found, list)
    return [row for row in found if isinstance(row, Mapping)]


def test_where_nothing_was_rehearsed_there_is_nothing_to_say(record: Record) -> None:
    finding = rehearsal.check(record().end())
    assert (finding.verdict, finding.why, finding.detail) == (Verdict.PASS, "No runbook was rehearsed.", {})


def test_what_was_followed_passes_and_says_who_did_what_when(record: Record) -> None:
    run = record()
    run.fault("1-lose", 10.0)
    opened(run)
    done(run, "fence", 13, 14)
    done(run, "promote", 15, 18)
    done(run, "notice", 19, 20)
    run.event(19.5, "notice.posted", en="told", ja="報")
    closed(run)
    finding = rehearsal.check(run.end())
    assert finding.verdict is Verdict.PASS
    assert finding.why == "The runbook was followed: 3 of 3 steps proven, no hold point skipped."
    assert finding.measured["first_notice_s"] == 570.0  # 9.5 s, at 60 drill seconds each
    assert rows(finding, "deviations") == []
    fence = rows(finding, "steps")[0]
    assert (fence["by"], fence["begun_s"], fence["took_s"], fence["within_s"]) == (["Sato"], 13.0, 1.0, 10.0)


def test_a_skipped_hold_point_fails_and_tells_what_it_cost(record: Record) -> None:
    run = record()
    run.fault("1-lose", 10.0)
    opened(run)
    done(run, "promote", 13, 15)
    done(run, "fence", 14, 22)
    done(run, "notice", 23, 24)
    for person, at_s in ((1, 12.9), (2, 13.5), (3, 21.9), (4, 22.1)):  # two of them while it stood open
        run.answer(person, 1, at_s, "fail")
    run.answer(2, 1, 14.0, "info")
    run.answer(5, 1, 16.0)  # acknowledged then, and not there in the end
    run.answer(6, 1, 30.0)
    run.final("answers", answered(6, 1))
    run.mail("composed", "lost", "p@au.example", 14.0, "sent")  # composed then, and nobody has it
    run.mail("composed", "late", "q@au.example", 11.0, "sent")
    for number, leg in enumerate(("submitted", "relayed", "stored")):
        run.mail(leg, "late", "q@au.example", 60.0 + number)
    run.mail("composed", "before", "r@au.example", 1.0, "sent")
    for number, leg in enumerate(("submitted", "relayed", "stored")):
        run.mail(leg, "before", "r@au.example", 2.0 + number)
    closed(run)
    finding = rehearsal.check(run.end())
    assert finding.verdict is Verdict.FAIL
    assert finding.why == "Hold points skipped: 1, expected at most 0."
    (row,) = rows(finding, "deviations")
    assert (row["what"], row["step"], row["behind"]) == ("skipped", "fence", "promote")
    assert (row["from_s"], row["until_s"], row["ended"]) == (13.0, 22.0, True)
    assert row["cost"] == {
        "failed": 2,
        "unknown": 1,
        "people": 2,
        "answers_lost": 1,
        "mails_late": 1,
        "mails_lost": 1,
    }


def test_what_was_not_read_back_is_not_known_to_have_cost_nothing(record: Record) -> None:
    run = record()
    opened(run)
    done(run, "promote", 13, 15)
    closed(run)
    (row, *_) = rows(rehearsal.check(run.cut()), "deviations")
    cost = row["cost"]
    assert isinstance(cost, Mapping)
    assert (cost["answers_lost"], cost["mails_lost"], cost["failed"]) == (None, None, 0)


def test_a_rehearsal_that_was_abandoned_proves_nothing(record: Record) -> None:
    run = record()
    opened(run)
    done(run, "fence", 13, 14)
    run.event(40, "rehearsal.abandoned", performance="rehearsal", why="the terminal was closed")
    closed(run, 41)
    finding = rehearsal.check(run.end())
    assert finding.verdict is Verdict.UNKNOWN
    assert finding.why == "The rehearsal was abandoned: the terminal was closed."


@pytest.mark.parametrize("began", [True, False])
def test_one_whose_end_is_not_known_proves_nothing(record: Record, began: bool) -> None:
    run = record()
    run.rehearsal("move", 12.0)
    if began:
        opened(run)
        done(run, "fence", 13, 14)
    assert rehearsal.check(run.cut()).verdict is Verdict.UNKNOWN
