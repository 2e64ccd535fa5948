"""Users as a whole: when nearly all of them are served again, and what a region move was made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.checks import recovery
from harness.checks.crowd import SHARE, STEP_NS, served_again
from harness.checks.outages import SECOND, WINDOW_NS, Mark
from harness.rundir.verdict import Verdict
from tests.harness.checks.recorded import Recorded

Record = Callable[..., Recorded]


def attempts(
    run: Recorded, until_s: float, failing: Callable[[float, int], bool], from_s: float = -5.0
) -> None:
    """A hundred attempts a second, each by another person."""
    for number in range(round((until_s - from_s) * 100)):
        at_s = from_s + number / 100
        run.answer(number + 1, 1, at_s, "info" if failing(at_s, number) else "ok")


def measured(run: Recorded) -> object:
    return recovery.check(run.end()).measured.get("users_s")


def test_users_are_back_when_nearly_all_are_and_it_stays_so(record: Record) -> None:
    """All are out for 20 s; then, for 15 s, one in ten goes where the old name leads; after that one in a thousand."""
    run = record(recovery={"users": 36.0})
    run.fault("1-lose", 30.0)
    attempts(
        run,
        100,
        lambda at_s, n: (
            30 <= at_s < 50 or (50 <= at_s < 65 and n % 10 == 0) or (at_s >= 65 and n % 1000 == 0)
        ),
    )
    run.probes("write", 104)
    finding = recovery.check(run.end())
    assert finding.measured["users_s"] == pytest.approx(34.9, abs=0.2)
    assert finding.verdict is Verdict.PASS
    assert finding.why == "99% of users were answered again after 34.9 s."  # probes alone noticed nothing


def test_a_missed_deadline_of_users_fails(record: Record) -> None:
    run = record(recovery={"users": 10.0})
    run.fault("1-lose", 30.0)
    attempts(run, 100, lambda at_s, _: 30 <= at_s < 50)
    run.probes("write", 104)
    finding = recovery.check(run.end())
    assert finding.verdict is Verdict.FAIL
    assert finding.why.startswith("Time until 99% of users were answered again: 20")


def test_users_who_noticed_nothing_count_as_zero(record: Record) -> None:
    run = record()
    run.fault("1-lose", 30.0)
    attempts(run, 100, lambda _s, n: n % 500 == 0)
    assert measured(run) == 0


def test_users_who_are_never_served_again_are_no_number(record: Record) -> None:
    run = record(recovery={"users": 30.0})
    run.fault("1-lose", 30.0)
    attempts(run, 100, lambda at_s, n: at_s >= 30 and n % 20 == 0)
    run.probes("write", 104)
    finding = recovery.check(run.end())
    assert finding.measured["users_s"] is None
    assert finding.verdict is not Verdict.PASS


def test_an_outage_that_outlasts_the_undoing_counts_in_full(record: Record) -> None:
    run = record()
    run.fault("1-lose", 30.0, 45.0)
    attempts(run, 100, lambda at_s, _: 30 <= at_s < 60)
    assert measured(run) == pytest.approx(30.0, abs=0.2)


def test_what_the_next_fault_does_is_not_laid_at_the_door_of_the_one_before(record: Record) -> None:
    run = record()
    run.fault("1-lose", 20.0)
    run.fault("2-lose", 30.0)
    attempts(run, 100, lambda at_s, _: 30 <= at_s < 45)
    assert measured(run) == pytest.approx(15.0, abs=0.2)


def test_without_a_fault_there_is_nothing_to_come_back_from(record: Record) -> None:
    run = record()
    attempts(run, 100, lambda _s, _n: False)
    assert measured(run) is None


def naive(tries: Sequence[tuple[int, bool]], at_ns: int, ends_ns: int) -> float | None:
    """One mark, by the words of the definition."""
    starts = range(at_ns, max(at_ns + 1, ends_ns - WINDOW_NS + 1), STEP_NS)
    windows = [[ok for begun, ok in tries if start <= begun < start + WINDOW_NS] for start in starts]
    bad = [bool(window) and sum(window) < SHARE * len(window) for window in windows]
    for number, start in enumerate(starts):
        if not any(bad[number:]) and windows[number]:
            return 0.0 if not any(bad) else round((start - at_ns) / SECOND, 3)
    return None


@given(
    st.lists(st.tuples(st.integers(0, 12 * SECOND), st.booleans()), max_size=60),
    st.integers(0, 6 * SECOND),
)
def test_it_is_what_its_definition_says(tries: list[tuple[int, bool]], at_ns: int) -> None:
    tries.sort()
    begun = np.array([begun for begun, _ in tries], np.int64)
    ok = np.array([ok for _, ok in tries], np.bool_)
    found = served_again(begun, ok, [Mark("1", "fault", at_ns, at_ns)], 12 * SECOND)
    assert found == [naive(tries, at_ns, 12 * SECOND)]


def move(run: Recorded, **proven_s: float) -> None:
    """A region move that begins at 35 s; the steps that are proven, and when."""
    run.event(35, "runbook.started", performance="2-run", runbook="region-move")
    does = {"declare": "declare", "fence": "fence", "promote": "promote", "names": "move-names", "users": ""}
    at_s = 35.0
    for step, command in does.items():
        proofs = ["users-served"] if step == "users" else ["seen"]
        run.event(at_s, "step.started", performance="2-run", step=step, command=command, proofs=proofs)
        if step not in proven_s:
            return
        at_s = proven_s[step]
        run.event(at_s, "step.proven", performance="2-run", step=step)


def parts(run: Recorded) -> dict[str, object]:
    found = recovery.check(run.end()).detail["parts"]
    assert isinstance(found, list)
    (row,) = found
    assert isinstance(row, dict)
    return {
        key.removesuffix("_s"): value for key, value in row.items() if key.endswith("_s") and key != "rto_s"
    }


def test_a_region_move_is_taken_apart_by_its_steps(record: Record) -> None:
    run = record()
    run.fault("1-lose", 30.0)
    run.probes("write", 104, lambda at_s: (0.7, "info") if 30 <= at_s < 50 else (0.02, "ok"))
    move(run, declare=36, fence=38, promote=44, names=46, users=56)
    assert parts(run) == {
        "declared": 6.0,
        "fenced": 2.0,
        "promoted": 6.0,
        "named": 2.0,
        "routed": pytest.approx(4.02),
        "unexplained": pytest.approx(0.0, abs=0.01),
        "confirmed": pytest.approx(5.98),
    }


def test_a_move_that_stopped_has_no_further_parts(record: Record) -> None:
    run = record()
    run.fault("1-lose", 30.0)
    run.probes("write", 104, lambda at_s: (0.7, "info") if 30 <= at_s < 50 else (0.02, "ok"))
    move(run, declare=36, fence=38)
    found = parts(run)
    assert (found["declared"], found["fenced"]) == (6.0, 2.0)
    assert found["promoted"] is None
    assert found["confirmed"] is None


def test_each_runbook_answers_for_its_own_outage(record: Record) -> None:
    """Two planned moves, each with a gap: the longest of them is the longest outage, not all from first to last."""
    run = record(recovery={"outage": 9.0})
    for name, at_s in (("1-run", 10.0), ("2-run", 50.0)):
        run.event(at_s, "runbook.started", performance=name, runbook="planned-move")
    run.probes(
        "write", 104, lambda at_s: (0.7, "info") if 12 <= at_s < 20 or 52 <= at_s < 56 else (0.02, "ok")
    )
    finding = recovery.check(run.end())
    assert finding.verdict is Verdict.PASS
    assert finding.measured["outage_s"] == pytest.approx(8.0, abs=0.1)
