"""Outages, measured from probes whose fate is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.checks.outages import Effect, Mark, Series, measure

Fate = Callable[[float], tuple[float, bool]]  # intended -> seconds it takes, whether it succeeds


def served(at_s: float) -> tuple[float, bool]:
    return 0.02, True


def probed(fate: Fate, until_s: float = 60.0, phase_s: float = 0.0) -> Series:
    """Ten probes a second from -5 s on."""
    intended = [-5.0 + phase_s + tick / 10 for tick in range(round((until_s + 5) * 10))]
    fates = [fate(at_s) for at_s in intended]
    return Series.of(
        np.array([round(at_s * 1e9) for at_s in intended], np.int64),
        np.array(
            [round((at_s + took_s) * 1e9) for at_s, (took_s, _) in zip(intended, fates, strict=True)],
            np.int64,
        ),
        np.array([ok for _, ok in fates], np.bool_),
    )


def mark(at_s: float, kind: str = "fault", took_s: float = 0.0) -> Mark:
    return Mark(f"{kind} at {at_s:g} s", kind, round((at_s - took_s) * 1e9), round(at_s * 1e9))


def out(*spans: tuple[float, float], took_s: float = 0.7) -> Fate:
    """Everything begun within these spans fails."""
    return lambda at_s: (took_s, False) if any(a <= at_s < b for a, b in spans) else served(at_s)


def one(series: Series, *marks: Mark) -> Effect:
    return measure(series, marks)[0]


def test_nobody_noticed() -> None:
    effect = one(probed(served), mark(10))
    assert (effect.rto_s, effect.outage_s, effect.failed, effect.stalled) == (0, 0, 0, 0)


def test_rto_is_from_the_fault_to_the_first_success_after_the_last_failure() -> None:
    effect = one(probed(out((10.3, 21.0))), mark(10))
    assert effect.rto_s == pytest.approx(11.02)
    assert effect.outage_s == pytest.approx(10.72)
    assert effect.failed == 107


def test_a_failure_within_two_seconds_means_it_was_not_restored_before() -> None:
    assert one(probed(out((10, 12), (13.5, 13.6))), mark(10)).rto_s == pytest.approx(3.62)


def test_a_later_failure_means_it_was_not_restored_before_until_the_next_mark() -> None:
    series = probed(out((10, 12), (30, 30.1)))
    assert one(series, mark(10)).rto_s == pytest.approx(20.12)
    fault, undo = measure(series, [mark(10), mark(29.9, "undo")])
    assert fault.rto_s == pytest.approx(2.02)
    assert undo.outage_s == pytest.approx(0.12)
    assert not undo.inside


def test_one_slow_probe_among_served_ones_is_no_outage() -> None:
    effect = one(probed(lambda at_s: (1.5, True) if at_s == pytest.approx(30) else served(at_s)), mark(10))
    assert (effect.rto_s, effect.outage_s, effect.stalled) == (0, 0, 1)


def test_a_short_pause_is_seen_and_is_nothing_to_recover_from() -> None:
    def paused(at_s: float) -> tuple[float, bool]:
        return (40.8 - at_s, True) if 40 <= at_s < 40.8 else served(at_s)

    effect = one(probed(paused), mark(10))
    assert effect.rto_s == 0
    assert effect.outage_s == pytest.approx(0.8, abs=0.1)


def test_what_is_slow_by_nature_does_not_stall() -> None:
    effect = one(probed(lambda at_s: (1.2, True)), mark(10))
    assert (effect.rto_s, effect.stalled) == (0, 0)


def test_never_restored() -> None:
    effect = one(probed(out((10, 99))), mark(10))
    assert effect.rto_s is None
    assert effect.outage_s is None


def test_two_seconds_of_probes_are_needed_to_be_restored() -> None:
    assert one(probed(out((10, 59)), until_s=60), mark(10)).rto_s is None
    assert one(probed(out((10, 57)), until_s=60), mark(10)).rto_s == pytest.approx(47.02)


def test_a_probe_under_way_at_the_undoing_is_not_the_faults() -> None:
    """Begun 40 ms before, and cut off by it."""

    def fate(at_s: float) -> tuple[float, bool]:
        if 10 <= at_s < 15:
            return 0.7, False
        return (0.3, False) if at_s == pytest.approx(40) else served(at_s)

    fault, undo = measure(probed(fate), [mark(10), mark(40.04, "undo")])
    assert fault.rto_s == pytest.approx(5.02)
    assert undo.failed == 1


def test_an_outage_begins_no_earlier_than_its_cause() -> None:
    """A probe was under way when the power went, and failed by it."""
    series = probed(lambda at_s: (0.7, False) if 9.75 < at_s < 12 else served(at_s))
    assert one(series, mark(10)).outage_s == pytest.approx(2.02)


def test_well_for_less_than_two_seconds_before_the_undoing_is_not_restored() -> None:
    fault, undo = measure(probed(out((10, 12), (13.5, 13.6))), [mark(10), mark(13, "undo")])
    assert fault.rto_s == pytest.approx(3.62)
    assert undo.inside


def test_an_outage_that_only_the_undoing_ends_is_the_faults() -> None:
    fault, undo = measure(probed(out((10, 25))), [mark(10), mark(24.8, "undo")])
    assert fault.rto_s == pytest.approx(15.02)
    assert undo.inside


def test_a_fault_within_an_outage_counts_from_its_own_time() -> None:
    first, second = measure(probed(out((10, 25))), [mark(10), mark(20)])
    assert first.rto_s == pytest.approx(15.02)
    assert second.rto_s == pytest.approx(5.02)
    assert second.inside


def test_what_takes_time_to_inject_hurts_before_its_time() -> None:
    """Six nodes are killed one after the other within 0.4 s."""
    effect = one(probed(out((9.7, 12))), mark(10, took_s=0.4))
    assert effect.rto_s == pytest.approx(2.02)
    assert effect.outage_s == pytest.approx(2.32)


def hung(from_s: float, until_s: float, patience_s: float, waits: int) -> Fate:
    """Nobody is answered within this span; a request that waits at its end is answered then.

    Users try `waits` doors one after the other and give up when none has answered.
    """

    def fate(at_s: float) -> tuple[float, bool]:
        if at_s + 0.004 < from_s or at_s >= until_s:
            return 0.005, True
        left_s = until_s + 0.005 - at_s
        return (left_s, True) if left_s <= patience_s * waits else (patience_s * waits, False)

    return fate


@settings(max_examples=50)
@given(
    seconds=st.floats(1.2, 6.0),
    phase_s=st.floats(0, 0.0999),
    patience_s=st.sampled_from((0.7, 1.0, 30.0)),
    waits=st.sampled_from((1, 2, 3)),
)
def test_the_clock_is_true(seconds: float, phase_s: float, patience_s: float, waits: int) -> None:
    """Whatever the users' time-outs, a hang is measured to within a probe's period."""
    series = probed(hung(10, 10 + seconds, patience_s, waits), until_s=20, phase_s=phase_s)
    fault, undo = measure(series, [mark(10, took_s=0.01), mark(10 + seconds, "undo")])
    assert fault.outage_s == pytest.approx(seconds, abs=0.12)
    assert fault.rto_s == pytest.approx(seconds, abs=0.12)
    assert undo.inside


def by_definition(series: Series, at_ns: int) -> float | None:
    """RTO, word by word: the earliest success after which every probe that is begun succeeds, for two seconds or
    more; 0 if none failed."""
    probes = list(
        zip(series.intended_ns.tolist(), series.completed_ns.tolist(), series.ok.tolist(), strict=True)
    )
    failed = [intended for intended, _, ok in probes if not ok]
    if not failed:
        return 0
    first = min(failed)
    ends = sorted(completed for intended, completed, ok in probes if ok and intended >= first)
    last = probes[-1][0]
    for end in ends:
        if not any(intended >= end for intended in failed) and last >= end + 1.8e9:
            return float(end - at_ns) / 1e9
    return None


@settings(max_examples=50)
@given(st.lists(st.booleans(), min_size=60, max_size=90), st.floats(0.001, 0.4))
def test_as_by_definition(fates: Sequence[bool], took_s: float) -> None:
    """Any pattern of failures after a fault."""

    def fate(at_s: float) -> tuple[float, bool]:
        number = round((at_s - 1) * 10)
        return took_s, number < 0 or number >= len(fates) or fates[number]

    series = probed(fate, until_s=12)
    assert one(series, mark(0.95)).rto_s == pytest.approx(by_definition(series, round(0.95e9)))
