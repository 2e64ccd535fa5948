"""Looking the service's name up as a handset does: a question to the carrier's resolver, and what its answer is worth.

No sockets, so that any event loop can use it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import dns.exception
import dns.message
import dns.rcode
import dns.rdatatype

from harness.load.access import Access, Entrance

#: What the history calls the endpoint of a request that was never made because nobody knew where to.
ENDPOINT: Final = "dns"
#: A resolver is asked so often, and waited for so long each time. Settings, not figures.
TRIES: Final = 2
TRY_S: Final = 0.7


class NoAddressError(Exception):
    """Nobody could say where the service is; nothing was sent to it. The text says why."""


@dataclass(frozen=True, slots=True)
class Question:
    """One question about a host; `number` tells its answer from others."""

    number: int
    host: str

    @property
    def wire(self) -> bytes:
        return dns.message.make_query(self.host, dns.rdatatype.A, id=self.number).to_wire()


@dataclass(frozen=True, slots=True)
class Found:
    """The entrances that lead to the addresses of an answer, in the carrier's order; good until then."""

    entrances: tuple[Entrance, ...]
    until_ns: int


def read(question: Question, wire: bytes, access: Access, now_ns: int) -> Found | None:
    """What a datagram says; None for one that does not answer this question. Raises NoAddressError."""
    try:
        reply = dns.message.from_wire(wire)
    except dns.exception.DNSException:
        return None
    if reply.id != question.number or not reply.question:
        return None
    if reply.rcode() != dns.rcode.NOERROR:
        raise NoAddressError(dns.rcode.to_text(reply.rcode()).lower())
    records = [rrset for rrset in reply.answer if rrset.rdtype == dns.rdatatype.A]
    if not records:
        raise NoAddressError("no address")
    addresses = {str(record) for rrset in records for record in rrset}
    ttl_s = min(rrset.ttl for rrset in records)
    return Found(_leading_to(addresses, access.entrances), now_ns + ttl_s * 1_000_000_000)


def _leading_to(addresses: set[str], entrances: Sequence[Entrance]) -> tuple[Entrance, ...]:
    found = tuple(entrance for entrance in entrances if entrance.to in addresses)
    if not found:
        raise NoAddressError(f"no way to {', '.join(sorted(addresses))}")
    return found
