"""Garbage is looked for again when the work is over, however it ended."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from topology.garbage import uncollected


@pytest.fixture(autouse=True)
def collector() -> Iterator[None]:
    """Python's, which is on when the test is over."""
    yield
    gc.enable()


def test_it_is_off_inside_and_on_again_after_it() -> None:
    with uncollected():
        assert not gc.isenabled()
        with uncollected():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()


def test_it_is_on_again_after_an_error() -> None:
    with pytest.raises(ZeroDivisionError), uncollected():
        raise ZeroDivisionError
    assert gc.isenabled()


def test_where_it_was_off_it_stays_off() -> None:
    gc.disable()
    with uncollected():
        pass
    assert not gc.isenabled()
