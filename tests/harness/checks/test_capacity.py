"""What the service carried."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.checks import capacity
from harness.rundir.verdict import Verdict
from tests.harness.checks.recorded import Recorded

Record = Callable[..., Recorded]


def test_latency_counts_from_the_intended_time(record: Record) -> None:
    run = record(capacity={"answered": 100, "p95": 0.1, "errors": 0.1})
    for person in range(1, 101):
        run.answer(person, 1, person / 10, took_s=0.05)
    for person in range(1, 11):
        run.answer(100 + person, 1, 5.0, "fail", took_s=1.0)
    finding = capacity.check(run.end())
    assert finding.verdict is Verdict.PASS
    assert finding.measured["answered"] == 100
    assert finding.measured["peak_per_s"] == 10
    assert finding.measured["p95_s"] == pytest.approx(0.05)
    assert finding.measured["errors_ratio"] == pytest.approx(10 / 110, abs=1e-4)
    assert finding.detail["vantage"]["docomo"]["answered"] == 100  # type: ignore[call-overload, index]


def test_too_few_answers_fail(record: Record) -> None:
    run = record(capacity={"answered": 10})
    run.answer(1, 1, 5.0)
    assert capacity.check(run.end()).why == "Answers of the drill acknowledged: 1, expected at least 10."


def test_too_slow_on_a_starved_host_is_unknown(record: Record) -> None:
    run = record(capacity={"p50": 0.1})
    run.answer(1, 1, 5.0, took_s=0.5)
    run.probe("read", 5.0, 0.6, lag_s=0.5)
    assert capacity.check(run.end()).verdict is Verdict.UNKNOWN


def test_without_answers_there_is_no_latency(record: Record) -> None:
    finding = capacity.check(record(capacity={"p50": 0.1}).end())
    assert finding.verdict is Verdict.UNKNOWN
    assert finding.measured["p50_s"] is None


def test_a_failure_that_the_next_try_mends_is_a_retry(record: Record) -> None:
    run = record(capacity={"failed_after_retries": 0})
    run.answer(1, 1, 5.0, "fail", took_s=0.1)
    run.answer(1, 1, 8.0)
    run.answer(2, 1, 6.0)
    finding = capacity.check(run.end())
    assert (finding.verdict, finding.measured["failed_after_retries"]) == (Verdict.PASS, 0)


@pytest.mark.parametrize(
    ("served", "why"),
    [
        ((1, 10.2), "later than five seconds after the beginning"),
        ((2, 6.0), "somebody else"),
        ((1, 4.0), "before the failure"),
    ],
)
def test_a_failure_that_no_try_mends_in_time_counts(
    record: Record, served: tuple[int, float], why: str
) -> None:
    run = record(capacity={"failed_after_retries": 0})
    run.answer(1, 1, 5.0, "info", took_s=4.0)
    person, at_s = served
    run.answer(person, 1, at_s)
    finding = capacity.check(run.end())
    assert (finding.verdict, finding.measured["failed_after_retries"]) == (Verdict.FAIL, 1), why
