"""Queries as they come off the wire, from anybody: read, or refused without falling over. No sockets."""

from __future__ import annotations

import struct
from typing import Final

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype

#: What a client without EDNS takes over UDP (RFC 1035), and what passes any network whole (DNS flag day 2020).
PLAIN_LIMIT: Final = 512
SAFE_LIMIT: Final = 1232
TCP_LIMIT: Final = 65_535

_HEADER: Final = struct.Struct("!6H")
_IS_RESPONSE: Final = 0x8000
_RECURSION_DESIRED: Final = 0x0100
_OPCODE: Final = 0x7800
_ZONE_TRANSFERS: Final = (dns.rdatatype.AXFR, dns.rdatatype.IXFR)


class BadQuery(Exception):
    """Not to be answered in substance. `reply` is what the sender gets; None: nothing at all."""

    def __init__(self, reply: bytes | None) -> None:
        super().__init__()
        self.reply = reply


class Query:
    """One well-formed question of the internet's class. The reply keeps the letters' case, as senders check it."""

    def __init__(self, message: dns.message.Message) -> None:
        self.message = message
        self.name: Final[dns.name.Name] = message.question[0].name
        self.type: Final[dns.rdatatype.RdataType] = message.question[0].rdtype

    @property
    def recursive(self) -> bool:
        """Whether the sender wants names looked up that are not at hand."""
        return bool(self.message.flags & dns.flags.RD)

    def reply(self, rcode: dns.rcode.Rcode, *, recursion: bool = False) -> dns.message.Message:
        """An empty reply, to be filled."""
        response = dns.message.make_response(
            self.message, recursion_available=recursion, our_payload=SAFE_LIMIT
        )
        response.set_rcode(rcode)
        return response

    def limit(self, tcp: bool) -> int:
        """Bytes that the sender takes at once."""
        if tcp:
            return TCP_LIMIT
        if self.message.edns < 0:
            return PLAIN_LIMIT
        return max(PLAIN_LIMIT, min(self.message.payload, SAFE_LIMIT))

    def wire(self, response: dns.message.Message, tcp: bool) -> bytes:
        """The reply as bytes; what is too long for the sender is cut, and says so."""
        return response.to_wire(max_size=self.limit(tcp), prefer_truncation=True)


def read(wire: bytes) -> Query:
    """Raises BadQuery for everything that is no question of class IN, and for zone transfers."""
    if len(wire) < _HEADER.size:
        raise BadQuery(None)
    number, flags, questions, *_ = _HEADER.unpack_from(wire)
    if flags & _IS_RESPONSE:
        raise BadQuery(None)  # answering answers is how two servers talk for ever
    if flags & _OPCODE:
        raise BadQuery(_bare(number, flags, dns.rcode.NOTIMP))
    if questions != 1:
        raise BadQuery(_bare(number, flags, dns.rcode.FORMERR))
    try:
        query = Query(dns.message.from_wire(wire))
    except (
        dns.exception.DNSException,
        ValueError,
        IndexError,
    ):  # what a malformed message makes of the parser
        raise BadQuery(_bare(number, flags, dns.rcode.FORMERR)) from None
    if query.message.edns > 0:
        raise BadQuery(query.wire(query.reply(dns.rcode.BADVERS), tcp=False))
    if query.message.question[0].rdclass != dns.rdataclass.IN or query.type in _ZONE_TRANSFERS:
        raise BadQuery(query.wire(query.reply(dns.rcode.REFUSED), tcp=False))
    return query


def _bare(number: int, flags: int, rcode: dns.rcode.Rcode) -> bytes:
    """A header and nothing else."""
    kept = flags & (_OPCODE | _RECURSION_DESIRED)
    return _HEADER.pack(number, _IS_RESPONSE | kept | rcode, 0, 0, 0, 0)
