"""Whose address is whose, also when sessions come and go in any order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from topology.world.maps.addresses import FIRST, Addresses

SUBSCRIBERS = st.lists(st.integers(min_value=1, max_value=5), max_size=40)


def test_until_it_is_registered_an_address_is_that_of_whoever_had_it_before() -> None:
    addresses = Addresses()
    first = addresses.allot(1)
    assert (first, addresses.taken_for(first)) == (FIRST, None)
    addresses.register(1, first)
    addresses.register(1, addresses.allot(1))
    again = addresses.allot(2)
    assert (again, addresses.taken_for(again)) == (first, 1)
    addresses.register(2, again)
    assert addresses.taken_for(again) == 2


def test_two_sessions_of_one_subscriber_that_begin_at_once_are_both_known_for_that_subscribers() -> None:
    addresses = Addresses()
    one, other = addresses.allot(1), addresses.allot(1)
    third = addresses.allot(2)
    assert len({one, other, third}) == 3, "what is being registered is nobody else's"
    addresses.register(1, one)
    addresses.register(1, other)
    assert addresses.taken_for(other) == 1
    assert addresses.allot(3) == one, "the later one counts"


def test_what_came_to_nothing_goes_out_again() -> None:
    addresses = Addresses()
    address = addresses.allot(1)
    addresses.give_back(address)
    assert addresses.allot(2) == address


@given(SUBSCRIBERS)
def test_who_is_registered_at_once_is_always_known_for_themselves_and_shares_no_address(
    sessions: list[int],
) -> None:
    addresses = Addresses()
    held = {}
    for subscriber in sessions:
        held[subscriber] = addresses.allot(subscriber)
        addresses.register(subscriber, held[subscriber])
        assert {one: addresses.taken_for(address) for one, address in held.items()} == {
            one: one for one in held
        }
    assert len(set(held.values())) == len(held)
