from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.load import curves
from harness.load.curves import EVERYONE_2019, Curve

EVENLY = (np.arange(200_000) + 0.5) / 200_000


@pytest.mark.parametrize(
    ("share", "minutes"), [(0.0, 1.0), (0.25, 11.7), (0.5, 51.0), (0.75, 141.0), (1.0, 720.0)]
)
def test_the_quantiles_of_2019(share: float, minutes: float) -> None:
    assert EVERYONE_2019.minutes(share) == pytest.approx(minutes)
    assert EVERYONE_2019.share(minutes) == pytest.approx(share, abs=1e-4)


def test_the_standard_deviation_of_2019() -> None:
    assert float(EVERYONE_2019.minutes(EVENLY).std()) == pytest.approx(140.0, abs=0.1)


def test_the_most_frequent_answer_comes_after_two_minutes() -> None:
    whole_minutes = np.rint(EVERYONE_2019.minutes(EVENLY)).astype(int)
    assert np.bincount(whole_minutes).argmax() == 2


def test_the_stream_of_answers_has_no_steps() -> None:
    rate = 1 / np.diff(np.log(EVERYONE_2019.minutes(np.linspace(0, 1, 2001))))
    assert np.abs(np.diff(np.log(rate))).max() < 0.02


def test_one_and_many_at_once_agree() -> None:
    shares = np.linspace(0, 1, 11)
    many = EVERYONE_2019.minutes(shares)
    assert many.shape == shares.shape
    assert [EVERYONE_2019.minutes(float(share)) for share in shares] == pytest.approx(list(many))


@st.composite
def rising(draw: st.DrawFn) -> Curve:
    """Any curve that a report could give."""
    inner = draw(st.lists(st.integers(1, 99), min_size=0, max_size=5, unique=True))
    shares = (0.0, *(share / 100 for share in sorted(inner)), 1.0)
    steps = draw(st.lists(st.floats(1.01, 20), min_size=len(shares), max_size=len(shares)))
    return Curve("drawn", shares, tuple(float(minutes) for minutes in np.cumprod(steps)))


@given(rising())
def test_every_curve_runs_through_its_points_and_never_goes_back(curve: Curve) -> None:
    assert curve.minutes(np.asarray(curve.shares)) == pytest.approx(np.asarray(curve.minutes_by))
    assert np.diff(curve.minutes(np.linspace(0, 1, 1001))).min() >= -1e-9 * curve.minutes_by[-1]


@given(st.floats(0, 1))
def test_share_takes_minutes_back(share: float) -> None:
    assert EVERYONE_2019.share(EVERYONE_2019.minutes(share)) == pytest.approx(share, abs=1e-4)


def test_nobody_has_answered_before_the_fastest() -> None:
    assert EVERYONE_2019.share(0.5) == 0.0
    assert EVERYONE_2019.share(10_000.0) == 1.0


def test_curves_are_found_by_name() -> None:
    assert curves.named("everyone-2019") is EVERYONE_2019
    with pytest.raises(ValueError, match=r"called nobody; there is everyone-2019$"):
        curves.named("nobody")
