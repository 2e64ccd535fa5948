"""When the volumes of an enclosure are as before."""

from __future__ import annotations

import pytest

from harness.failure import SLOWER_S, Failure
from harness.faults.fail import CALLS, mended
from harness.faults.writing import Written


@pytest.mark.parametrize("how", Failure)
@pytest.mark.parametrize(
    ("seen", "slowness_alone"),
    [
        (Written({"": 3}, 0.001), None),
        (Written({"": 3}, CALLS * SLOWER_S + 0.1), Failure.SLOW),  # of a busy disk, for the others
    ],
)
def test_what_is_written_is_written_however_long_a_busy_disk_took(
    how: Failure, seen: Written, slowness_alone: Failure | None
) -> None:
    assert mended(how, seen) is (how is not slowness_alone)


@pytest.mark.parametrize("how", Failure)
def test_what_refuses_some_writes_is_not_mended(how: Failure) -> None:
    assert not mended(how, Written({"": 2, "EIO": 1}, 0.001))
