"""Mail addresses at rest."""

from __future__ import annotations

import pytest

from tests.topology.service.node import KEY
from topology.service.addresses import AddressBook, Unreadable, is_address

BOOK = AddressBook(KEY)


def test_only_the_right_person_and_the_right_key_open_an_address() -> None:
    sealed = BOOK.seal(7, "p7@docomo.example")

    assert BOOK.open(7, sealed) == "p7@docomo.example"
    assert b"p7" not in sealed
    with pytest.raises(Unreadable):
        BOOK.open(8, sealed)
    with pytest.raises(Unreadable):
        AddressBook("A" * 43 + "=").open(7, sealed)
    with pytest.raises(Unreadable):
        BOOK.open(7, sealed[:-1] + bytes([sealed[-1] ^ 1]))


def test_the_same_address_never_looks_the_same_twice() -> None:
    assert BOOK.seal(7, "p7@docomo.example") != BOOK.seal(7, "p7@docomo.example")


@pytest.mark.parametrize("key", ["", "short", "AAAA", "not base64!"])
def test_a_key_of_another_size_is_refused(key: str) -> None:
    with pytest.raises(SystemExit, match="ADDRESS_KEY"):
        AddressBook(key)


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("p1@docomo.example", True),
        ("first.last+tag@mail.docomo.example", True),
        ("p1", False),
        ("p1@", False),
        ("@docomo.example", False),
        ("p1@docomo.example\r\nBcc: x@y.example", False),
        ("a b@docomo.example", False),
        ("<p1@docomo.example>", False),
    ],
)
def test_what_can_be_put_into_a_header_is_an_address(text: str, good: bool) -> None:
    assert is_address(text) is good
