"""The drill's statistics, against drills small enough to reckon by hand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.checks import responses
from harness.checks.responses import Asked, statistics
from harness.rundir.verdict import Verdict
from tests.harness.checks.recorded import Recorded, answered, company

Record = Callable[..., Recorded]


def mailed(run: Recorded, person: int, company: int, at_s: float = 10.0) -> None:
    number = f"{company}.{person}.{company}@anpi.example"
    run.mail("composed", number, f"p{person}@au.example", at_s - 0.5, "sent")
    run.mail("stored", number, f"p{person}@au.example", at_s)


@pytest.fixture
def drill(record: Record) -> Recorded:
    """Four of company 1 answer after 1, 2, 4 and 9 drill minutes, one of company 2 after 30; two never do."""
    run = record()
    for person, of, minutes in ((1, 1, 1), (2, 1, 2), (3, 1, 4), (4, 1, 9), (5, 2, 30)):
        mailed(run, person, of)
        run.answer(person, 1, 10.0 + minutes - 0.02)
        run.final("answers", answered(person, 1, come="yes" if person < 3 else "no"))
    mailed(run, 6, 1)
    mailed(run, 7, 2)
    run.answer(1, 2, 50.0)  # only the first answer counts
    run.answer(7, 1, 50.0, "fail")
    run.final("companies", company(1, 5, name="One"), company(2, 2, name="Two"))
    return run


def test_one_company_and_all(drill: Recorded) -> None:
    finding = responses.check(drill.end())
    assert finding.verdict is Verdict.PASS
    companies = finding.detail["companies"]
    assert isinstance(companies, dict)
    assert companies["1"] == {
        "name": "One",
        "asked": 5,
        "answered": 4,
        "answered_ratio": 0.8,
        "fastest_drill_min": 1.0,
        "p25_drill_min": 1.75,
        "median_drill_min": 3.0,
        "p75_drill_min": 5.25,
        "deviation_drill_min": 3.08,
        "unconfirmed": 1,
        "can_come": 2,
    }
    assert finding.measured["asked"] == 7
    assert finding.measured["median_drill_min"] == 4.0
    assert finding.why == "5 of 7 people answered, half of those within 4.0 drill minutes."


def test_who_is_unconfirmed_is_a_list_of_its_own(drill: Recorded) -> None:
    finding = responses.check(drill.end())
    assert finding.evidence == ({"unconfirmed": 6, "company": 1}, {"unconfirmed": 7, "company": 2})


def test_expectations(record: Record) -> None:
    run = record(responses={"answered": 0.9, "median": 60.0})
    mailed(run, 1, 1)
    mailed(run, 2, 1)
    run.answer(1, 1, 12.0)
    run.final("answers", answered(1, 1))
    finding = responses.check(run.end())
    assert finding.verdict is Verdict.FAIL
    assert finding.why == (
        "People who answered: 50.0%, expected at least 90.0%; "
        "median time to the answer: 2.0 min of drill time, expected at most 1.0 min of drill time."
    )


def test_nobody_was_asked(record: Record) -> None:
    run = record()
    run.final("answers")
    finding = responses.check(run.end())
    assert finding.verdict is Verdict.PASS
    assert finding.why == "Nobody was asked."


def test_without_the_final_answers_an_expectation_is_unknown(record: Record) -> None:
    assert responses.check(record(responses={"unconfirmed": 0}).end()).verdict is Verdict.UNKNOWN


@given(st.lists(st.floats(0, 720), min_size=1, max_size=30))
def test_no_percentile_is_ever_below_the_fastest(minutes: list[float]) -> None:
    size = len(minutes)
    some, all_of_them = np.zeros(size, np.int64), np.ones(size, np.bool_)
    told = statistics(Asked(some, some, np.array(minutes), all_of_them, all_of_them))
    order = [
        told[name] for name in ("fastest_drill_min", "p25_drill_min", "median_drill_min", "p75_drill_min")
    ]
    assert order == sorted(order)  # type: ignore[type-var]
