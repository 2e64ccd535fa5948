"""What the tables of bad input have in common: one thing changed in a text that is right, one message that says so."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from topology.document import BadInput


def swapped(text: str, old: str, new: str) -> str:
    """`text` with its only `old` changed into `new`."""
    assert text.count(old) == 1, old
    return text.replace(old, new)


def refusal(reading: Callable[[], object]) -> str:
    """The one line with which a reader refuses, its folder left out."""
    with pytest.raises(BadInput) as caught:
        reading()
    message = str(caught.value)
    assert "\n" not in message
    place, colon, rest = message.partition(": ")
    return place.rpartition("/")[2] + colon + rest
