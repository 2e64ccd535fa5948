"""Who is served within five retries, against a reckoning that takes one person at a time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.checks import retries
from harness.rundir.verdict import Verdict
from tests.harness.checks.recorded import Recorded

Record = Callable[..., Recorded]


def tries(run: Recorded, person: int, failed: int, *, served: bool = True, at_s: float = 10.0) -> None:
    """So many attempts that failed, three seconds apart, then perhaps one that did not."""
    for attempt in range(failed):
        run.answer(person, 1, at_s + 3 * attempt, "fail")
    if served:
        run.answer(person, 1, at_s + 3 * failed)


def test_within_five_retries(record: Record) -> None:
    run = record(retries={"within_5": 0.75})
    for person, failed in enumerate((0, 1, 5, 6)):
        tries(run, person, failed)
    finding = retries.check(run.end())
    assert finding.verdict is Verdict.PASS
    assert finding.measured["within_5_ratio"] == 0.75
    assert finding.measured["attempts_per_answer"] == (1 + 2 + 6 + 7) / 4
    assert finding.measured["most_retries"] == 6


def test_one_that_failed_too_often_counts_though_nobody_knows_the_end(record: Record) -> None:
    run = record(retries={"within_5": 0.99})
    for person in range(9):
        tries(run, person, 0)
    tries(run, 9, 6, served=False)
    finding = retries.check(run.end())
    assert (finding.measured["undecided"], finding.measured["within_5_ratio"]) == (0, 0.9)
    assert finding.verdict is Verdict.FAIL


def test_many_who_were_still_trying_make_it_unknown(record: Record) -> None:
    run = record(retries={"within_5": 0.99})
    for person in range(9):
        tries(run, person, 0)
    tries(run, 9, 2, served=False)
    finding = retries.check(run.end())
    assert (finding.measured["undecided"], finding.measured["within_5_ratio"]) == (1, 1.0)
    assert finding.verdict is Verdict.UNKNOWN


def test_what_comes_after_the_first_answer_is_no_retry(record: Record) -> None:
    run = record(retries={"attempts_per_answer": 1})
    tries(run, 1, 0)
    run.answer(1, 2, 40.0)
    run.look(1, 2, 50.0)
    finding = retries.check(run.end())
    assert finding.measured["attempts"] == 1
    assert finding.verdict is Verdict.PASS


def test_a_storm_of_retries(record: Record) -> None:
    run = record(retries={"storm": 2})
    for person in range(4):
        tries(run, person, 3, at_s=10.0)
    finding = retries.check(run.end())
    assert finding.measured["storm"] == 4.0
    assert finding.verdict is Verdict.FAIL


def test_the_tries_by_several_entrances_are_one_attempt(record: Record) -> None:
    run = record()
    run.look(1, 0, 10.0)
    run.answer(1, 1, 10.0, "fail")
    run.answer(1, 1, 10.0)
    measured = retries.check(run.end()).measured
    assert (measured["attempts"], measured["failed_tries"], measured["tries_per_answer"]) == (1, 1, 2.0)


def test_tries_of_those_who_were_never_served_are_nobodys_cost(record: Record) -> None:
    run = record()
    tries(run, 1, 3)
    tries(run, 2, 4, served=False)
    run.look(1, 1, 30.0)
    measured = retries.check(run.end()).measured
    assert (measured["failed_tries"], measured["tries_per_answer"]) == (3, 4.0)


def test_who_only_looks_tries_nothing(record: Record) -> None:
    run = record(retries={"within_5": 0.99, "attempts_per_answer": 1})
    for person in range(9):
        for visit in range(person):
            run.look(person, 0, 1.0 + visit)
        if person < 5:
            tries(run, person, 0)
    finding = retries.check(run.end())
    assert (finding.measured["tried"], finding.measured["undecided"]) == (5, 0)
    assert finding.verdict is Verdict.PASS


def test_nobody_tried(record: Record) -> None:
    finding = retries.check(record().end())
    assert finding.verdict is Verdict.PASS
    assert finding.measured["within_5_ratio"] is None


@pytest.mark.takes(20)
@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.booleans()), max_size=12))
def test_as_one_by_one(people: list[tuple[int, bool]]) -> None:
    people = [(failed, served) for failed, served in people if failed or served]
    with TemporaryDirectory() as folder:
        run = Recorded(Path(folder))
        for person, (failed, served) in enumerate(people):
            tries(run, person, failed, served=served)
        measured = retries.check(run.end()).measured
    decided = [(failed, served) for failed, served in people if served or failed > 5]
    good = sum(served and failed <= 5 for failed, served in decided)
    assert measured["undecided"] == len(people) - len(decided)
    assert measured["within_5_ratio"] == (round(good / len(decided), 5) if decided else None)
    assert measured["attempts"] == sum(failed + served for failed, served in people)
