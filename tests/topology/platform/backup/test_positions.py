"""Which file of the log a restore reads, and what it would miss."""

from __future__ import annotations

import pytest

from topology.platform.backup.positions import (
    Segment,
    Switch,
    chain,
    holes,
    lsn,
    next_after_fork,
    owner,
    segment,
)

SIZE = 4 << 20
#: Timeline 2 left 1 in the middle of segment 5, timeline 3 left 2 in segment 9.
HISTORY = "1\t0/1600000\tno recovery target specified\n\n2\t0/2400100\tno recovery target specified\n"
STEPS = [Switch(2, 1, 0x1600000), Switch(3, 2, 0x2400100)]


def test_names_are_postgresqls() -> None:
    assert Segment(1, 5).name(SIZE) == "000000010000000000000005"
    assert Segment(0x1F, 1024 * 3 + 7).name(SIZE) == "0000001F0000000300000007"
    assert segment("0000001F0000000300000007", SIZE) == Segment(0x1F, 1024 * 3 + 7)


@pytest.mark.parametrize("name", ["", "00000002.history", "000000010000000000000005.partial"])
def test_other_files_are_no_segments(name: str) -> None:
    with pytest.raises(ValueError, match="is no segment"):
        segment(name, SIZE)


def test_positions() -> None:
    assert lsn("16/B374D848") == 0x16B374D848
    with pytest.raises(ValueError, match="no position"):
        lsn("latest")


def test_the_history_of_a_timeline() -> None:
    assert chain(3, {3: HISTORY, 2: "1\t0/1600000\tx\n"}) == STEPS
    assert chain(1, {}) == []


@pytest.mark.parametrize(("number", "timeline"), [(0, 1), (4, 1), (5, 2), (8, 2), (9, 3), (50, 3)])
def test_a_segment_in_which_a_timeline_began_is_read_from_it(number: int, timeline: int) -> None:
    assert owner(number, 3, STEPS, SIZE) == timeline


def test_what_a_restore_would_not_find() -> None:
    present = [Segment(1, n) for n in range(2, 9)] + [Segment(2, n) for n in (5, 6, 8)] + [Segment(3, 9)]
    assert holes(present, 2, 9, 3, STEPS, SIZE) == [Segment(2, 7)]


def test_what_the_old_primary_wrote_after_the_fork_fills_no_hole() -> None:
    present = [Segment(1, 4), Segment(1, 5), Segment(1, 6), Segment(2, 6)]
    assert holes(present, 4, 6, 2, STEPS[:1], SIZE) == [Segment(2, 5)]


@pytest.mark.parametrize(
    ("mine", "theirs", "first"),
    [
        ([], STEPS[:1], Segment(2, 5)),
        ([], STEPS, Segment(2, 5)),  # two moves meanwhile: the log between them is wanted, too
        (STEPS[:1], STEPS, Segment(3, 9)),
        ([Switch(2, 1, 0x1600000)], [Switch(3, 1, 0x0A00000)], Segment(3, 2)),
        ([Switch(2, 1, 0x1600000)], [Switch(3, 1, 0x2A00000)], Segment(1, 5)),
        (STEPS, STEPS[:1], None),
        (STEPS, [], None),
    ],
)
def test_where_to_go_on_after_a_fork(mine: list[Switch], theirs: list[Switch], first: Segment | None) -> None:
    assert next_after_fork(mine, theirs, SIZE) == first
