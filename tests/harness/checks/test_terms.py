"""Expectations held against measurements."""

from __future__ import annotations

import pytest

from harness.checks import CHECKS
from harness.checks.terms import Breach, Term, conclude, hold, quantity, units
from harness.rundir import Json
from harness.rundir.verdict import Verdict

TERMS = {
    "lost": Term("count", "lost", "at most", "answers lost", default=0),
    "write": Term("duration", "write_rto_s", "at most", "RTO", deadline=True),
    "answered": Term("ratio", "answered_ratio", "at least", "people who answered"),
    "exactly": Term("how-often", "exactly", "exactly", "broadcasts"),
}


def verdicts(stated: dict[str, Json], measured: dict[str, Json], *, starved: bool = False) -> list[Verdict]:
    return [breach.verdict for breach in hold(TERMS, stated, measured, starved=starved).breaches]


def test_what_is_expected_of_every_run_is_held_without_being_stated() -> None:
    held = hold(TERMS, {}, {"lost": 1})
    assert held.expected == {"lost": 0}
    assert [breach.says for breach in held.breaches] == ["answers lost: 1, expected at most 0"]
    assert verdicts({"lost": 1}, {"lost": 1}) == []


@pytest.mark.parametrize(
    ("name", "want", "key", "good", "bad"),
    [
        ("write", 30.0, "write_rto_s", 30.0, 30.1),
        ("answered", 0.9, "answered_ratio", 0.9, 0.89),
        ("exactly", "once", "exactly", "once", "never"),
    ],
)
def test_senses(name: str, want: Json, key: str, good: Json, bad: Json) -> None:
    assert verdicts({name: want}, {"lost": 0, key: good}) == []
    assert verdicts({name: want}, {"lost": 0, key: bad}) == [Verdict.FAIL]


def test_what_could_not_be_measured_is_unknown() -> None:
    assert verdicts({"write": 30.0}, {"lost": 0, "write_rto_s": None}) == [Verdict.UNKNOWN]


def test_a_starved_host_excuses_deadlines_and_nothing_else() -> None:
    assert verdicts({"write": 30.0}, {"lost": 0, "write_rto_s": 31.0}, starved=True) == [Verdict.UNKNOWN]
    assert verdicts({}, {"lost": 1}, starved=True) == [Verdict.FAIL]


def test_the_worst_is_what_is_said() -> None:
    breaches = [
        Breach(Verdict.UNKNOWN, "it was dark"),
        *(Breach(Verdict.FAIL, f"loss {n}") for n in range(5)),
    ]
    assert conclude(breaches, "") == (Verdict.FAIL, "Loss 0; loss 1; loss 2; and 2 more.")
    assert conclude([], "all is well") == (Verdict.PASS, "All is well.")


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(3, "count", "3"), (21.44, "duration", "21.4 s"), (0.0421, "duration", "0.0421 s"),
     (1800, "drill-duration", "30.0 min of drill time"), (0.999, "ratio", "99.9%"), ("once", "how-often", "once")],
)  # fmt: skip
def test_quantities(value: Json, unit: str, text: str) -> None:
    assert quantity(value, unit) == text  # type: ignore[arg-type]


def test_every_check_names_what_may_be_expected_of_it() -> None:
    assert units(TERMS)["write"] == "duration"
    assert CHECKS["answers"].EXPECTS["rpo"] == "duration"
    assert CHECKS["mail"].EXPECTS["all_out_within"] == "drill-duration"
    assert CHECKS["broadcast"].EXPECTS["exactly"] == "how-often"
