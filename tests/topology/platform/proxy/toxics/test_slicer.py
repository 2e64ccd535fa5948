from __future__ import annotations

from itertools import pairwise
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from topology.platform.proxy.toxics.slicer import Slicer


@given(
    average=st.integers(-1, 300),
    variation=st.integers(-1, 300),
    size=st.integers(1, 3000),
    seed=st.integers(0, 1000),
)
def test_slices_cover_everything_once_and_are_small(
    average: int, variation: int, size: int, seed: int
) -> None:
    slices = list(Slicer(average, variation).slices(size, Random(seed)))
    assert slices[0][0] == 0
    assert slices[-1][1] == size
    assert all(before[1] == after[0] for before, after in pairwise(slices))
    assert all(0 < end - start <= max(1, average + variation) for start, end in slices)


@given(seed=st.integers(0, 1000))
def test_slices_are_about_as_big_as_asked(seed: int) -> None:
    sizes = [end - start for start, end in Slicer(100, 20).slices(10_000, Random(seed))]
    assert 60 <= sum(sizes) / len(sizes) <= 120


def test_the_same_seed_slices_alike() -> None:
    slicer = Slicer(100, 50)
    assert list(slicer.slices(5000, Random(3))) == list(slicer.slices(5000, Random(3)))
