"""What was tried and held is told apart from what was not tried."""

from __future__ import annotations

import json
from collections.abc import Callable
from xml.etree import ElementTree

import pytest

from harness.checks import CHECKS, judge, junit
from harness.commands import outcome
from harness.rundir import Json
from harness.rundir.verdict import Verdict
from tests.harness.checks.recorded import Recorded, answered, company

Record = Callable[..., Recorded]
#: Each with something that a scenario may expect of it.
UNASKED: dict[str, dict[str, Json]] = {
    "access": {"cut_off": 5.0},
    "replication": {"lag": 5.0},
    "backups": {"generations": 1},
    "runbook": {"proven": 1},
    "rehearsal": {"late": 0},
    "broadcast": {"exactly": "once"},
    "mail": {"all_out_within": 60.0},
    "isolation": {"leaks": 0},
    "responses": {"answered": 0.5},
    "retries": {"within_5": 0.9},
    "capacity": {"answered": 1},
}
#: An expectation that is met where nothing happened; of a rehearsal, where somebody only runs the scenario.
MET_BY_NOTHING = ("mail", "rehearsal")


def calm(run: Recorded) -> Recorded:
    """A service that stands, and is looked at, while nothing happens and nobody is there."""
    run.probes("write", 104.0, lambda _: (0.02, "ok"))
    run.database(5.0, "database-a", "primary", wrote=True)
    run.final("answers")
    run.final("companies", company(1, 1))
    run.final("broadcasts")
    return run


def test_a_calm_run_asks_only_what_is_always_asked(record: Record) -> None:
    judgement = judge.judge(calm(record()).end().run)
    unasked = {name for name, finding in judgement.findings.items() if not finding.asked}
    assert unasked == set(UNASKED)
    assert set(CHECKS) - unasked == {"answers", "recovery", "failover", "host"}


@pytest.mark.parametrize("name", UNASKED)
def test_what_a_scenario_expects_is_asked_though_there_was_nothing_to_look_at(
    record: Record, name: str
) -> None:
    finding = CHECKS[name].check(calm(record(**{name: UNASKED[name]})).end())
    assert finding.asked
    assert (finding.verdict is Verdict.PASS) == (name in MET_BY_NOTHING), finding.why


def test_what_was_looked_at_is_asked_though_nothing_was_expected(record: Record) -> None:
    run = calm(record())
    run.publish(0.0, "e", {"350": "1"}, status="訓練")
    run.answer(1, 1, 12.0)
    for leg, result in (("composed", "sent"), ("submitted", "ok"), ("relayed", "ok"), ("stored", "ok")):
        run.mail(leg, "1.1.1@anpi.example", "p1@au.example", 10.2, result)
    run.replicated(5.0, "database-s", "singapore", 4.0, 3.0)
    findings = judge.judge(run.end().run).findings
    asked = {name for name in UNASKED if findings[name].asked}
    assert asked == {"broadcast", "mail", "responses", "retries", "capacity", "replication"}


def test_what_could_not_be_read_back_is_asked(record: Record) -> None:
    run = calm(record())
    run.event(99.0, "readback.failed", what="broadcasts", tried=["it is gone"])
    finding = CHECKS["broadcast"].check(run.end())
    assert (finding.verdict, finding.asked) == (Verdict.UNKNOWN, True)


@pytest.mark.parametrize("cut", [True, False])
def test_only_a_pass_was_ever_not_asked(record: Record, cut: bool) -> None:
    run = calm(record())
    judgement = judge.judge((run.cut() if cut else run.end()).run)
    assert {each.verdict for each in judgement.findings.values() if not each.asked} == {Verdict.PASS}


def test_it_decides_nothing(record: Record) -> None:
    run = calm(record())
    run.answer(1, 1, 12.0)
    run.final("answers", answered(1, 1))
    judgement = judge.judge(run.end().run)
    assert any(not finding.asked for finding in judgement.findings.values())
    assert judgement.verdict is Verdict.PASS, judgement.why


def test_it_is_written_down_and_read_back(record: Record) -> None:
    run = calm(record()).end().run
    judgement = judge.judge(run)
    path = judge.write_verdict(run, judgement)
    rows = json.loads(path.read_text())["checks"]
    assert {name: row["asked"] for name, row in rows.items()} == {
        name: name not in UNASKED for name in CHECKS
    }
    assert judge.read_verdict(run) == judgement


def test_a_verdict_of_before_there_was_a_word_of_it_is_read(record: Record) -> None:
    run = calm(record()).end().run
    path = judge.write_verdict(run, judge.judge(run))
    written = json.loads(path.read_text())
    for row in written["checks"].values():
        del row["asked"]
    path.write_text(json.dumps(written))
    assert all(finding.asked for finding in judge.read_verdict(run).findings.values())


def test_junit_calls_it_skipped(record: Record) -> None:
    judgement = judge.judge(calm(record()).end().run)
    suite = ElementTree.fromstring(junit.junit(judgement).encode())  # noqa: S314
    skipped = {
        case.get("name"): said.get("message")
        for case in suite.findall("testcase")
        if (said := case.find("skipped")) is not None
    }
    assert skipped == {name: judgement.findings[name].why for name in UNASKED}
    assert suite.get("skipped") == str(len(UNASKED))


def test_a_person_is_told_a_dash_and_not_a_pass(record: Record, capsys: pytest.CaptureFixture[str]) -> None:
    outcome.told(judge.judge(calm(record()).end().run), as_json=False)
    lines = [line.split(maxsplit=2) for line in capsys.readouterr().out.splitlines()[1:]]
    assert {name: word for word, name, _ in lines if word == "-"} == dict.fromkeys(UNASKED, "-")
    assert [name for _, name, _ in lines] == list(CHECKS)
