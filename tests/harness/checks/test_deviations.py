"""Where a rehearsal left its runbook."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from harness.checks.deviations import Attempt, Deviation, Kind, Taken, deviations

S = 10**9


def step(
    name: str, *attempts: tuple[float, float | None], hold: bool = False, within_s: float = 5.0
) -> Taken:
    """Begun and proven at these seconds; None: failed a second later."""
    tried = [
        Attempt("Sato", round(begun * S), round((proven if proven is not None else begun + 1) * S), result)
        for begun, proven in attempts
        for result in ["proven" if proven is not None else "failed"]
    ]
    return Taken(name, {}, None, hold, within_s, tuple(tried))


def found(*steps: Taken, due_s: float = 0.0, ended_s: float = 100.0) -> list[Deviation]:
    return deviations(steps, round(due_s * S), round(ended_s * S))


def seconds(deviation: Deviation) -> tuple[float, float]:
    return deviation.from_ns / S, deviation.until_ns / S


def test_a_runbook_that_was_followed_in_time_has_none() -> None:
    assert found(step("fence", (1, 3), hold=True), step("promote", (4, 8))) == []


def test_the_next_step_may_begin_before_one_that_is_no_hold_point_is_proven() -> None:
    assert found(step("notice", (1, 4)), step("fence", (2, 5))) == []


def test_a_hold_point_is_skipped_until_it_is_proven() -> None:
    (one,) = found(step("fence", (1, 6), hold=True, within_s=9), step("promote", (2, 5)))
    assert (one.kind, one.step, one.behind, one.ended) == (Kind.SKIPPED, "fence", "promote", True)
    assert seconds(one) == (2, 6)


def test_a_hold_point_that_was_never_begun_is_skipped_to_the_end() -> None:
    (one,) = found(step("fence", hold=True), step("promote", (2, 5)), step("names", (5, 6)))
    assert (one.kind, one.behind, one.ended) == (Kind.SKIPPED, "promote", False)
    assert seconds(one) == (2, 100)


def test_a_step_that_was_passed_over_is_out_of_order() -> None:
    (one,) = found(step("notice", (6, 7)), step("start", (1, 2)))
    assert (one.kind, one.step, one.behind) == (Kind.DISORDER, "notice", "start")
    assert seconds(one) == (1, 7)


def test_a_step_is_late_from_when_it_was_due_after_the_one_before_it() -> None:
    late, later = found(step("declare", (7, 8)), step("fence", (20, 21)), due_s=1)
    assert (late.kind, late.step, seconds(late)) == (Kind.LATE, "declare", (6, 8))
    assert (later.step, seconds(later)) == ("fence", (13, 21))


def test_the_time_of_attempts_that_failed_counts() -> None:
    (late,) = found(step("fence", (1, None), (3, 9)))
    assert (late.kind, seconds(late)) == (Kind.LATE, (5, 9))


def test_only_the_first_step_that_nobody_came_to_stands_open() -> None:
    first, second = found(step("declare", (1, 2)), step("fence"), step("promote"))
    assert (first.kind, seconds(first)) == (Kind.UNDONE, (7, 100))
    assert (second.kind, seconds(second)) == (Kind.UNDONE, (100, 100))


TIMES = st.lists(st.tuples(st.floats(0, 90), st.floats(0.1, 9)), max_size=2)


@given(st.lists(st.tuples(TIMES, st.booleans(), st.floats(0.5, 20)), max_size=6))
def test_each_step_has_one_at_most_and_none_lasts_less_than_nothing(
    drawn: list[tuple[list[tuple[float, float]], bool, float]],
) -> None:
    steps = [
        step(str(at), *((begun, begun + took) for begun, took in sorted(times)), hold=hold, within_s=within_s)
        for at, (times, hold, within_s) in enumerate(drawn)
    ]
    several = found(*steps)
    assert len({each.step for each in several}) == len(several)
    for each in several:
        assert 0 <= each.from_ns <= each.until_ns <= 100 * S
    proven = {each.name for each in steps if each.proven_ns is not None}
    assert {each.step for each in several if each.ended} <= proven
    assert {each.name for each in steps} - proven <= {each.step for each in several}
