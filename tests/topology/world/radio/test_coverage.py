from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topology.world.radio.coverage import IMPORTANT_S, MEANS, Batteries, Supply, covers, place

HOUR = 3600.0
BATTERIES = Batteries(0.2, 6 * HOUR)
NORTH = Supply("north", ("100",))
DARK = NORTH.darkened(BATTERIES, 1000.0)
WHOLE = ((0.0, 1.0),)
times = st.floats(0, 200 * HOUR)


def at(hours: float) -> float:
    return 1000.0 + hours * HOUR


@pytest.mark.parametrize(
    ("hours", "lasting"),
    [(0, 1.0), (3, 1.0), (4.5, 0.6), (6, 0.2), (71.9, 0.2), (72, 0.0), (200, 0.0)],
)
def test_batteries_end_by_class_of_site(hours: float, lasting: float) -> None:
    assert BATTERIES.lasting(hours * HOUR) == pytest.approx(lasting)


@given(st.floats(0, 1), st.floats(1, IMPORTANT_S - 1), times, times)
def test_sites_only_ever_end_while_there_is_no_power(
    important: float, others_s: float, one_s: float, other_s: float
) -> None:
    batteries = Batteries(important, others_s)
    early, late = sorted((one_s, other_s))
    assert 0 <= batteries.lasting(late) <= batteries.lasting(early) <= 1


def test_with_power_there_is_a_signal_everywhere() -> None:
    assert NORTH.signal(0) == WHOLE
    assert DARK.lit().signal(at(50)) == WHOLE
    assert DARK.signal(at(3)) == WHOLE
    assert DARK.signal(at(72)) == ()


def test_what_is_brought_reaches_the_places_that_went_dark_first() -> None:
    helped = DARK.with_means("ship", 0.1).with_means("large-zone", 0.3)
    assert helped.signal(at(10)) == (pytest.approx((0.0, 0.2)), pytest.approx((0.6, 1.0)))
    assert helped.with_means("large-zone", 0.75).signal(at(10)) == WHOLE
    assert helped.with_means("large-zone", 0.3).signal(at(10)) == helped.signal(at(10)), (
        "said twice, done once"
    )


def test_who_is_in_the_dark_stays_there_since_when_it_began() -> None:
    assert DARK.darkened(Batteries(0.9, HOUR), at(5)) == DARK


@given(st.lists(st.tuples(st.sampled_from(MEANS), st.floats(0.01, 1)), max_size=6), times)
def test_the_places_with_a_signal_are_apart_and_in_order_and_more_means_never_less(
    brought: list[tuple[str, float]], dark_s: float
) -> None:
    helped = DARK
    for means, reaches in brought:
        helped = helped.with_means(means, reaches)
    signal = helped.signal(1000.0 + dark_s)
    bounds = [bound for each in signal for bound in each]
    assert bounds == sorted(bounds)
    assert math.fsum(high - low for low, high in signal) >= BATTERIES.lasting(dark_s) - 1e-9


def test_people_stand_evenly_over_all_places() -> None:
    places = [place(person) for person in range(10_000)]
    assert place(7) == place(7)
    for tenth in range(10):
        share = sum(covers([(tenth / 10, (tenth + 1) / 10)], each) for each in places) / len(places)
        assert share == pytest.approx(0.1, abs=0.02)


@pytest.mark.parametrize(("important", "others_s"), [(1.1, 1.0), (-0.1, 1.0), (0.5, 0.0), (0.5, IMPORTANT_S)])
def test_no_batteries(important: float, others_s: float) -> None:
    with pytest.raises(ValueError, match="no batteries"):
        Batteries(important, others_s)


@pytest.mark.parametrize(("means", "reaches"), [("kite", 0.5), ("ship", 0.0), ("ship", 1.5)])
def test_no_means(means: str, reaches: float) -> None:
    with pytest.raises(ValueError, match=r"not one of|expected a share"):
        DARK.with_means(means, reaches)
