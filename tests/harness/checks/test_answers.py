"""Answers, against histories whose outcome is known."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.checks import answers
from harness.rundir.verdict import Verdict
from tests.harness.checks.recorded import Recorded, answered

Record = Callable[..., Recorded]


def test_what_was_acknowledged_and_is_there_passes(record: Record) -> None:
    run = record(answers={"lost": 0, "rpo": 0.0})
    run.answer(1, 1, 5.0)
    run.answer(2, 1, 6.0)
    run.answer(2, 2, 7.0)
    run.look(2, 2, 8.0)
    run.final("answers", answered(1, 1), answered(2, 2))
    finding = answers.check(run.end())
    assert finding.verdict is Verdict.PASS
    assert finding.measured["acknowledged"] == 3
    assert finding.measured["rpo_s"] == 0.0
    assert finding.expected == {"lost": 0, "stale": 0, "phantom": 0, "rpo_s": 0.0}
    assert finding.why == "3 answers were acknowledged and none of them lost."


def test_an_acknowledged_answer_that_is_not_there_is_lost(record: Record) -> None:
    run = record()
    run.answer(1, 1, 5.0)
    run.answer(2, 1, 6.0)
    run.final("answers", answered(1, 1))
    finding = answers.check(run.end())
    assert finding.verdict is Verdict.FAIL
    assert finding.measured["lost"] == 1
    assert finding.evidence == (
        {"what": "lost", "person": 2, "value": 1, "acknowledged_s": 6.02, "final": 0},
    )


def test_a_register_that_fell_back_loses_every_answer_above(record: Record) -> None:
    run = record()
    for value, at_s in enumerate((5.0, 6.0, 7.0), start=1):
        run.answer(1, value, at_s)
    run.final("answers", answered(1, 1))
    assert answers.check(run.end()).measured["lost"] == 2


@pytest.mark.parametrize("outcome", ["info", "fail"])
def test_an_attempt_without_acknowledgement_may_have_happened_or_not(record: Record, outcome: str) -> None:
    run = record()
    run.answer(1, 1, 5.0)
    run.answer(1, 2, 6.0, outcome)
    run.answer(2, 1, 5.0)
    run.answer(2, 2, 6.0, outcome)
    run.final("answers", answered(1, 1), answered(2, 2))
    assert answers.check(run.end()).verdict is Verdict.PASS


def test_sending_the_same_value_again_is_the_same_answer(record: Record) -> None:
    run = record()
    run.answer(1, 1, 5.0, "info")
    run.answer(1, 1, 6.0)
    run.final("answers", answered(1, 1))
    finding = answers.check(run.end())
    assert finding.verdict is Verdict.PASS
    assert finding.measured["acknowledged"] == 1
    assert finding.measured["attempts"] == 2


def test_an_old_page_is_stale_when_the_answer_is_there_in_the_end(record: Record) -> None:
    run = record()
    run.answer(1, 1, 5.0)
    run.answer(1, 2, 6.0)
    run.look(1, 1, 7.0)
    run.final("answers", answered(1, 2))
    finding = answers.check(run.end())
    assert (finding.measured["stale"], finding.measured["lost"]) == (1, 0)
    assert finding.verdict is Verdict.FAIL


def test_an_old_page_while_the_answer_is_on_its_way_is_right(record: Record) -> None:
    run = record()
    run.answer(1, 1, 5.0, took_s=2.0)
    run.look(1, 0, 6.0)
    run.look(1, 1, 6.5)
    run.final("answers", answered(1, 1))
    assert answers.check(run.end()).verdict is Verdict.PASS


def test_an_old_page_is_stale_when_what_was_sent_meanwhile_is_shown_later(record: Record) -> None:
    run = record()
    run.answer(1, 1, 5.0)
    run.look(1, 0, 6.0, took_s=2.0)
    run.answer(1, 2, 7.0)
    run.final("answers", answered(1, 2))
    finding = answers.check(run.end())
    assert (finding.measured["stale"], finding.measured["lost"]) == (1, 0)


def test_an_answer_no_page_showed_again_is_lost_though_written_over(record: Record) -> None:
    run = record()
    run.answer(1, 1, 5.0)
    run.answer(1, 2, 6.0)
    run.look(1, 1, 8.0)
    run.answer(1, 3, 9.0)
    run.look(1, 3, 10.0)
    run.final("answers", answered(1, 3))
    finding = answers.check(run.end())
    assert (finding.measured["lost"], finding.measured["stale"]) == (1, 0)


def test_what_nobody_sent_is_a_phantom(record: Record) -> None:
    run = record()
    run.answer(1, 1, 5.0)
    run.look(1, 1, 6.0)
    run.look(1, 7, 7.0)  # never sent
    run.look(2, 1, 4.0)  # sent only afterwards
    run.answer(2, 1, 5.0)
    run.final("answers", answered(1, 1), answered(2, 1), answered(3, 1), answered(4, 0, comment="hello"))
    finding = answers.check(run.end())
    assert finding.measured["phantom"] == 4
    assert finding.measured["lost"] == 0
    assert finding.verdict is Verdict.FAIL


def test_rpo_reaches_back_to_the_first_acknowledgement_that_was_lost(record: Record) -> None:
    run = record(answers={"lost": 10, "rpo": 3.0})
    run.fault("1-lose", 30.0)
    for person, at_s in enumerate((10.0, 25.48, 27.0, 29.0, 31.0), start=1):
        run.answer(person, 1, at_s)
    run.final("answers", answered(1, 1))
    finding = answers.check(run.end())
    assert finding.measured["rpo_s"] == 4.5
    assert finding.measured["lost"] == 4
    assert finding.measured["lost_after_fault"] == 1
    assert finding.why == "RPO: 4.5 s, expected at most 3 s."
    assert finding.detail["faults"] == [
        {"fault": "1-lose", "lost": 3, "rpo_s": 4.5},
        {"fault": None, "lost": 1, "rpo_s": None},
    ]


def test_a_loss_with_no_fault_to_count_from_has_no_rpo(record: Record) -> None:
    run = record(answers={"rpo": 0.0})
    run.answer(1, 1, 5.0)
    run.answer(2, 1, 5.0)
    run.final("answers", answered(2, 1))
    finding = answers.check(run.end())
    assert finding.measured["rpo_s"] is None
    assert finding.verdict is Verdict.FAIL


def test_probes_count_like_people(record: Record) -> None:
    run = record()
    run.answer(1, 1, 5.0)
    run.probe("write", 5.0, person=900, value=1)
    run.probe("read", 6.0, person=900, value=0, outcome="fail", detail="stale")
    run.final("answers", answered(1, 1), answered(900, 1))
    finding = answers.check(run.end())
    assert finding.measured["acknowledged"] == 2
    assert finding.measured["stale"] == 1


def test_who_reads_how_many_were_acknowledged_is_told_that_probes_count(record: Record) -> None:
    run = record()
    run.answer(1, 1, 5.0)
    run.probe("write", 5.0, person=900, value=1)
    run.final("answers", answered(1, 1), answered(900, 1))
    why = answers.check(run.end()).why
    assert why == "2 answers, those of the probes counted, were acknowledged and none of them lost."


def test_without_the_final_state_nobody_knows(record: Record) -> None:
    run = record()
    run.answer(1, 1, 5.0)
    finding = answers.check(run.end())
    assert finding.verdict is Verdict.UNKNOWN
    assert finding.measured["lost"] is None


def test_a_final_state_with_rows_missing_is_none(record: Record) -> None:
    run = record()
    run.answer(1, 1, 5.0)
    run.answer(2, 1, 5.0)
    run.final("answers", answered(1, 1), answered(2, 1))
    recording = run.end()
    path = recording.run.path / "final" / "answers.jsonl"
    path.write_bytes(path.read_bytes()[:-20])
    assert answers.check(recording).verdict is Verdict.UNKNOWN


def test_nothing_acknowledged_proves_nothing(record: Record) -> None:
    run = record()
    run.answer(1, 1, 5.0, "fail")
    run.final("answers")
    assert answers.check(run.end()).verdict is Verdict.UNKNOWN


def test_a_killed_run_says_nothing_of_values_it_had_no_time_to_record(record: Record) -> None:
    run = record()
    run.answer(1, 1, 5.0)
    run.look(1, 2, 6.0)
    assert answers.check(run.cut()).verdict is Verdict.UNKNOWN


def test_answers_that_were_erased_and_brought_back(record: Record) -> None:
    run = record(answers={"lost": 0, "restored": 1, "restore": 10})
    run.answer(7, 1, 19.0)
    run.fault("1-erase", 20.0)
    run.event(26.5, "answers.restored", node="backup-t", rows=3, answers=1, seconds=5.5)
    run.final("answers", answered(7, 1))
    finding = answers.check(run.end())
    assert finding.verdict is Verdict.PASS, finding.why
    assert finding.measured["restore_s"] == 5.5
    assert finding.detail["restores"] == [
        {"fault": "1-erase", "rows": 3, "answers": 1, "seconds": 5.5, "after_s": 6.5, "rpo_s": 0.0}
    ]


def test_answers_that_were_erased_and_did_not_come_back(record: Record) -> None:
    run = record(answers={"restored": 1})
    run.answer(7, 1, 17.0)
    run.answer(8, 1, 19.0)
    run.fault("1-erase", 20.0)
    run.event(26.5, "answers.restored", node="backup-t", rows=3, answers=1, seconds=5.5)
    run.final("answers", answered(8, 1))
    finding = answers.check(run.end())
    assert finding.verdict is Verdict.FAIL
    (restore,) = finding.detail["restores"]  # type: ignore[misc, union-attr]
    assert restore["rpo_s"] == pytest.approx(2.98, abs=0.05)  # type: ignore[index, call-overload]


def test_a_restore_that_was_expected_and_never_came(record: Record) -> None:
    run = record(answers={"restored": 1})
    run.answer(8, 1, 19.0)
    run.fault("1-erase", 20.0)
    run.final("answers", answered(8, 1))
    assert answers.check(run.end()).verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("stated", "verdict"),
    [({"rpo": 5.0}, Verdict.PASS), ({"rpo": 5.0, "lost": 0}, Verdict.FAIL), ({"rpo": 1.0}, Verdict.FAIL)],
)
def test_an_rpo_says_how_much_may_be_lost(record: Record, stated: dict[str, float], verdict: Verdict) -> None:
    """Lost within it is no failure, unless a number is stated as well; lost from before it is one."""
    run = record(answers=stated)
    run.answer(1, 1, 1.0)
    run.answer(2, 1, 7.0)
    run.fault("1-lose", 10.0)
    run.final("answers", answered(1, 1))
    assert answers.check(run.end()).verdict is verdict
