"""What a resolver remembers. Pure: the time goes in.

A cache that keeps answers holds them for `keeps_s`, however short their owner's TTL, and says so to those who ask, as
resolvers with a least TTL of their own do.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

Key: TypeAlias = tuple[dns.name.Name, dns.rdatatype.RdataType]

#: Nothing is believed for longer than this (RFC 8767, 4).
LONGEST_S: Final = 604_800
#: A failure is remembered for so long (RFC 9520, 3.2), so that a silent server is not asked by everybody at once.
FAILURE_S: Final = 1
#: Entries of one cache; the one that ends next makes room.
MOST: Final = 1000


@dataclass(frozen=True)
class Entry:
    """What the domain's own server said, `at_s`. `ttl_s`: how long it may be believed."""

    rcode: dns.rcode.Rcode
    answer: tuple[dns.rrset.RRset, ...]
    authority: tuple[dns.rrset.RRset, ...]
    ttl_s: int
    at_s: float

    @classmethod
    def of(cls, response: dns.message.Message, at_s: float) -> Entry:
        """From an authoritative reply; a negative one counts for the smaller TTL of its SOA (RFC 2308, 5)."""
        answer, authority = tuple(response.answer), tuple(response.authority)
        times = [rrset.ttl for rrset in answer]
        if not answer:
            starts = [rrset for rrset in authority if rrset.rdtype == dns.rdatatype.SOA]
            times = [min(start.ttl, start[0].minimum) for start in starts] or [FAILURE_S]
        return cls(response.rcode(), answer, authority, min(*times, LONGEST_S), at_s)


class Cache:
    """One cache. `keeps_s` may change at any time and holds for what is in it already; 0: as the owner says."""

    def __init__(self) -> None:
        self.keeps_s = 0.0
        self._entries: dict[Key, Entry] = {}
        self._failed_s: dict[Key, float] = {}

    def __iter__(self) -> Iterator[tuple[Key, Entry]]:
        return iter(self._entries.items())

    def left_s(self, entry: Entry, now_s: float) -> int:
        """Whole seconds, rounded up, for which an entry is still good; 0 when it has ended."""
        good_s = max(entry.ttl_s, self.keeps_s) if entry.answer else entry.ttl_s
        return max(0, math.ceil(entry.at_s + good_s - now_s))

    def find(self, key: Key, now_s: float, *, ended_for_s: float = -1.0) -> Entry | None:
        """What is good now; or, with `ended_for_s`, an answer that ended no longer ago than that."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        if self.left_s(entry, now_s) > 0:
            return entry
        stale = ended_for_s >= 0 and entry.answer and self.left_s(entry, now_s - ended_for_s) > 0
        return entry if stale else None

    def fail(self, key: Key, now_s: float) -> None:
        """Nobody could be asked. What is here of it stays."""
        if len(self._failed_s) >= MOST:
            self._failed_s.clear()
        self._failed_s[key] = now_s

    def failed(self, key: Key, now_s: float) -> bool:
        """Whether asking failed a moment ago, so that it is not to be tried again yet."""
        return now_s - self._failed_s.get(key, -math.inf) < FAILURE_S

    def keep(self, key: Key, entry: Entry) -> None:
        self._failed_s.pop(key, None)
        if key not in self._entries and len(self._entries) >= MOST:
            ends_s = {each: self.left_s(kept, kept.at_s) + kept.at_s for each, kept in self}
            del self._entries[min(ends_s, key=ends_s.__getitem__)]
        self._entries[key] = entry
