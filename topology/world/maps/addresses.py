"""Which address each session has, and whom the network takes that address for. Pure.

A handset does not say who it is in what it sends: the network knows by the address that its packets come from. So an
address that is given to somebody else is that person's only from its registration on; until then who had it before is
answered.
"""

from __future__ import annotations

from collections import deque
from ipaddress import IPv4Address
from typing import Final

#: Addresses for subscribers behind a carrier (RFC 6598).
FIRST: Final = IPv4Address("100.64.0.1")


class Addresses:
    """Those of one block. Every session gets another address; one that was given back goes out before a new one."""

    def __init__(self) -> None:
        self._free: deque[IPv4Address] = deque()
        self._made = 0
        self._held: dict[int, IPv4Address] = {}
        self._registered: dict[IPv4Address, int] = {}

    def allot(self, subscriber: int) -> IPv4Address:
        """For a new session; with that the subscriber's former one is over, and its address free."""
        address = self._free.popleft() if self._free else self._new()
        self._let_go(subscriber)
        return address

    def give_back(self, address: IPv4Address) -> None:
        """The session for which it was allotted came to nothing."""
        self._free.append(address)

    def register(self, subscriber: int, address: IPv4Address) -> None:
        """From now on the address, which was allotted to it, is known to be that subscriber's."""
        self._let_go(subscriber)  # a session that began at the same time
        self._held[subscriber] = address
        self._registered[address] = subscriber

    def taken_for(self, address: IPv4Address) -> int | None:
        """The subscriber for whom whoever has this address is taken; None: nobody ever had it."""
        return self._registered.get(address)

    def _let_go(self, subscriber: int) -> None:
        if (former := self._held.pop(subscriber, None)) is not None:
            self._free.append(former)

    def _new(self) -> IPv4Address:
        self._made += 1
        return FIRST + self._made - 1
