from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topology.world.maps.areas import Areas, NoSuchArea

BLOCKS = ("b", "c", "f")
HOME = Areas.at_home(BLOCKS, 4)
changes = st.lists(
    st.tuples(st.sampled_from(BLOCKS), st.sampled_from(BLOCKS), st.integers(0, 5)), max_size=12
)


def test_at_first_every_area_is_served_at_home() -> None:
    assert HOME.serving == ("b",) * 4 + ("c",) * 4 + ("f",) * 4
    assert [HOME.home(area) for area in (0, 3, 4, 11)] == ["b", "b", "c", "f"]


def test_a_block_is_widened_by_so_many_areas_and_the_same_said_twice_is_done_once() -> None:
    once = HOME.widened("b", "f", 1)
    assert once.served("b", "f") == [8]
    assert once.widened("b", "f", 1) == once
    more = once.widened("c", "f", 2).widened("b", "f", 2)
    assert [more.served(block, "f") for block in BLOCKS] == [[8, 11], [9, 10], []]
    assert more.served("b", "b") == HOME.served("b", "b"), "it goes on to serve its own"


@pytest.mark.parametrize(
    ("block", "home", "count", "why"),
    [
        ("x", "f", 1, "x: not one of b, c, f"),
        ("b", "x", 1, "x: not one of b, c, f"),
        ("f", "f", 1, "f cannot be widened over its own areas"),
        ("b", "f", 5, "f itself serves 4 of its areas, 5 are to be taken from it"),
    ],
)
def test_what_cannot_be_is_said(block: str, home: str, count: int, why: str) -> None:
    with pytest.raises(NoSuchArea, match=why):
        HOME.widened(block, home, count)


@given(changes)
def test_every_area_is_always_served_by_one_block_and_comes_home_again(
    wanted: list[tuple[str, str, int]],
) -> None:
    areas = HOME
    for block, home, count in wanted:
        try:
            areas = areas.widened(block, home, count)
        except NoSuchArea:
            continue
        assert len(areas.served(block, home)) >= count
        assert sorted(area for by in BLOCKS for of in BLOCKS for area in areas.served(by, of)) == list(
            range(12)
        )
    for home in BLOCKS:
        areas = areas.returned(home)
    assert areas == HOME


@pytest.mark.parametrize(("blocks", "each"), [((), 4), (BLOCKS, 0)])
def test_no_areas(blocks: tuple[str, ...], each: int) -> None:
    with pytest.raises(ValueError, match="expected blocks and areas"):
        Areas.at_home(blocks, each)
