"""Judging whole runs, and writing the judgement down."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.checks import CHECKS, judge, junit
from harness.checks.judge import Judgement
from harness.checks.recording import Recording
from harness.rundir import Json, RunDir
from harness.rundir.verdict import Finding, Verdict
from tests.harness.checks.recorded import Recorded, answered, company, ns

Record = Callable[..., Recorded]


@pytest.fixture
def good(record: Record) -> Recorded:
    """A run in which everything went well; it still has to be ended."""
    run = record(answers={"lost": 0, "rpo": 0.0}, recovery={"write": 30.0}, broadcast={"exactly": "once"})
    run.publish(0.0, "e", {"350": "7"})
    run.fault("1-lose", 30.0, 60.0)
    run.probes("write", 104.0, lambda at_s: (0.7, "info") if 30 <= at_s < 41 else (0.02, "ok"))
    for leg, result in (("composed", "sent"), ("submitted", "ok"), ("relayed", "ok"), ("stored", "ok")):
        run.mail(leg, "1.1.1@anpi.example", "p1@au.example", 10.2, result)
    run.answer(1, 1, 12.0)
    run.database(5.0, "database-a", "primary", wrote=True)
    run.final("answers", answered(1, 1))
    run.final("companies", company(1, 1))
    row: dict[str, Json] = {
        "broadcast": 1,
        "event": "e",
        "company": 1,
        "at_ns": ns(10.2),
        "people": 1,
        "standing": False,
    }
    run.final("broadcasts", row)
    return run


def test_a_run_in_which_everything_went_well(good: Recorded) -> None:
    judgement = judge.judge(good.end().run)
    assert judgement.verdict is Verdict.PASS
    assert set(judgement.findings) == set(CHECKS)
    assert judgement.why == "1 answers were acknowledged and none of them lost; write was back after 11.0 s."


@pytest.mark.parametrize("kind", ["runtime.broke", "rehearsal.abandoned"])
def test_what_failed_when_nobody_could_help_proves_nothing(good: Recorded, kind: str) -> None:
    good.answer(2, 1, 13.0)  # lost
    good.event(50.0, kind, performance="rehearsal", why="nobody touched a key for 300 s")
    good.event(50.1, "run.interrupted", why="nobody touched a key for 300 s")
    judgement = judge.judge(good.end().run)
    assert judgement.verdict is Verdict.UNKNOWN
    assert "nobody touched a key for 300 s" in judgement.why


def test_the_worst_check_decides_and_says_why(good: Recorded) -> None:
    good.answer(2, 1, 13.0)
    judgement = judge.judge(good.end().run)
    assert judgement.verdict is Verdict.FAIL
    assert judgement.why == (
        "answers: Acknowledged answers lost: 1, expected at most 0; RPO: 17.0 s, expected at most 0 s."
    )


def test_what_was_lost_is_told_before_what_was_not_done_by_the_book(good: Recorded) -> None:
    good.mail("composed", "1.2.1@anpi.example", "p2@au.example", 10.2, "sent")  # and never seen again
    moved: dict[str, Json] = {"performance": "3-run", "runbook": "move"}
    good.event(60.0, "runbook.started", **moved, title="Move", steps=[])
    good.event(61.0, "runbook.ended", **moved, outcome="failed", step="one", why="no")
    judgement = judge.judge(good.end().run)
    failed = [name for name, each in judgement.findings.items() if each.verdict is Verdict.FAIL]
    assert failed == ["runbook", "mail"]
    assert judgement.why.startswith("mail: ")
    assert judgement.why.endswith(" Failed as well: runbook.")


def test_an_unproven_fault_is_unknown(good: Recorded) -> None:
    good.fault("2-cut", 70.0, 80.0, proven=False)
    judgement = judge.judge(good.end().run)
    assert judgement.verdict is Verdict.UNKNOWN
    assert judgement.why == "Fault 2-cut was never seen to take effect: web-a1 was asked."


def test_a_fault_that_never_came_to_be_is_unknown(good: Recorded) -> None:
    good.event(70.0, "fault.injecting", fault="2-cut", verb="cut", target="b", nodes=[])
    judgement = judge.judge(good.end().run)
    assert judgement.verdict is Verdict.UNKNOWN
    assert [fault.effect for fault in judgement.faults] == ["proven", "not injected"]


def test_a_run_that_was_killed_is_unknown(good: Recorded) -> None:
    assert judge.judge(good.cut().run).verdict is Verdict.UNKNOWN


def test_a_run_that_was_interrupted_is_unknown(good: Recorded) -> None:
    good.event(70.0, "run.interrupted", why="Ctrl-C")
    judgement = judge.judge(good.end().run)
    assert judgement.verdict is Verdict.UNKNOWN
    assert judgement.why == "The run was interrupted (Ctrl-C)."


def test_a_load_that_died_leaves_answers_that_nobody_recorded(good: Recorded) -> None:
    good.event(104.0, "program.died", program="load", log=[])
    good.final("answers", answered(2, 1))
    judgement = judge.judge(good.end().run)
    assert judgement.verdict is Verdict.UNKNOWN
    assert judgement.why == "The load died, so its record ends too early."


def test_a_loss_in_a_run_that_was_interrupted_is_still_a_loss(good: Recorded) -> None:
    good.answer(2, 1, 13.0)
    good.event(70.0, "run.interrupted", why="Ctrl-C")
    assert judge.judge(good.end().run).verdict is Verdict.FAIL


def test_a_run_directory_with_nothing_in_it_is_unknown(tmp_path: Path) -> None:
    run = RunDir.create(tmp_path, "empty", 3)
    judgement = judge.judge(run)
    assert judgement.verdict is Verdict.UNKNOWN
    assert judgement.scenario == "empty"
    assert not [name for name, finding in judgement.findings.items() if finding.verdict is Verdict.FAIL]
    assert not [name for name, finding in judgement.findings.items() if "itself failed" in finding.why]


def test_a_check_that_crashes_is_unknown(good: Recorded) -> None:
    def crash(recording: Recording) -> Finding:
        raise ZeroDivisionError("nobody\nanswered")

    finding = judge.finding_of(crash, good.end())
    assert finding.verdict is Verdict.UNKNOWN
    assert finding.why == "The check itself failed: ZeroDivisionError: nobody answered"


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8, 0.97])
def test_files_cut_anywhere_are_judged_and_never_fail_the_service(good: Recorded, share: float) -> None:
    run = good.cut().run
    for path in [*run.path.rglob("*.arrow"), *run.path.rglob("*.jsonl")]:
        path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    judgement = judge.judge(run)
    assert judgement.verdict is Verdict.UNKNOWN, judgement.why
    assert not [finding.why for finding in judgement.findings.values() if "itself failed" in finding.why]


def test_the_verdict_is_written_in_the_form_that_is_documented(good: Recorded) -> None:
    run = good.end().run
    judge.write_verdict(run, judge.judge(run))
    data = json.loads((run.path / "verdict.json").read_text())
    assert (data["scenario"], data["run"], data["seed"], data["runtime"]) == ("by-hand", run.name, 1, "local")
    assert data["verdict"] == "pass"
    (fault,) = data["faults"]
    assert (fault["verb"], fault["target"], fault["at_s"]) == ("lose", {"zone": "a"}, 30.0)
    assert (fault["effect"], fault["proof"]) == ("proven", "web-a1 was asked")
    answers = data["checks"]["answers"]
    assert answers["measured"]["acknowledged"] == 1
    assert answers["expected"]["rpo_s"] == 0.0
    assert answers["sense"]["rpo_s"] == "at most"
    assert all(finding["sense"].keys() == finding["expected"].keys() for finding in data["checks"].values())
    assert answers["evidence"] == []
    assert answers["why"].endswith(".")


def test_what_was_written_is_read_back_the_same(good: Recorded) -> None:
    run = good.end().run
    judgement = judge.judge(run)
    judge.write_verdict(run, judgement)
    assert judge.read_verdict(run) == judgement


@given(st.lists(st.sampled_from(Verdict)))
def test_verdicts_merge_by_the_worst(verdicts: list[Verdict]) -> None:
    merged = Verdict.worst(verdicts)
    if not verdicts:
        assert merged is Verdict.UNKNOWN
    elif Verdict.FAIL in verdicts:
        assert merged is Verdict.FAIL
    else:
        assert merged is (Verdict.UNKNOWN if Verdict.UNKNOWN in verdicts else Verdict.PASS)


def cases(judgement: Judgement) -> dict[str, set[str]]:
    """Test case -> what stands in it."""
    suite = ElementTree.fromstring(junit.junit(judgement).encode())  # noqa: S314
    return {str(case.get("name")): {part.tag for part in case} for case in suite.iter("testcase")}


def test_junit_tells_failures_from_errors(good: Recorded) -> None:
    good.answer(2, 1, 13.0)
    good.probe("feed", 5.0)  # and no more after that: nobody knows how the feed did
    good.fault("2-cut", 70.0, 80.0, proven=False)
    good.event(71.0, "fault.injecting", fault="3-hang", verb="hang", target="b", nodes=[])
    told = cases(judge.judge(good.end().run))
    assert told["answers"] == {"failure"}
    assert told["recovery"] == {"error"}
    assert told["mail"] == {"system-out"}
    assert (told["fault 1-lose"], told["fault 2-cut"]) == ({"system-out"}, {"error"})
    assert told["fault 3-hang"] == {"skipped"}


def test_junit_of_a_run_that_proves_nothing_though_every_check_is_well(good: Recorded) -> None:
    good.event(70.0, "run.interrupted", why="Ctrl-C")
    suite = ElementTree.fromstring(junit.junit(judge.judge(good.end().run)).encode())  # noqa: S314
    assert suite.get("errors") == "1"


def test_junit_holds_any_text(good: Recorded) -> None:
    run = good.end().run
    finding = Finding(Verdict.FAIL, "a <b> & \x00 \ud800 ]]> 安否", evidence=("\x1b[31m",))
    judgement = judge.judge(run)
    broken = Judgement(**{**judgement.__dict__, "findings": {"answers": finding}})
    path = junit.write(run, broken)
    assert "安否" in ElementTree.parse(path).getroot().find("testcase/failure").get("message")  # type: ignore[union-attr, operator]  # noqa: S314
