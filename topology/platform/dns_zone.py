"""What the name server says of its one domain. Pure: the addresses of the moment go in.

The domain itself has A records, SOA and NS; its server `ns` has an address; nothing else exists below it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from topology.platform.dns_message import Query

#: Refresh, retry and expire, for secondaries, of which there are none: usual figures (RFC 1912, 2.2).
_TIMES_S: Final = "3600 600 1209600"


@dataclass(frozen=True)
class Zone:
    """`domain` without the last dot. `ttl_s` also holds for what does not exist. `own`: the server's address."""

    domain: str
    ttl_s: int
    own: str

    def answer(self, query: Query, addresses: Sequence[str], serial: int) -> dns.message.Message:
        """The reply to a query. Without any address the name's A records are not known: SERVFAIL, never "none"."""
        apex = dns.name.from_text(self.domain)
        if not query.name.is_subdomain(apex):
            return query.reply(dns.rcode.REFUSED)
        server = dns.name.from_text(f"ns.{self.domain}")
        records = {
            apex: {
                dns.rdatatype.A: list(addresses),
                dns.rdatatype.NS: [str(server)],
                dns.rdatatype.SOA: [self._start_of_authority(serial)],
            },
            server: {dns.rdatatype.A: [self.own] if self.own else []},
        }
        response = query.reply(dns.rcode.NOERROR)
        response.flags |= dns.flags.AA
        here = records.get(query.name)
        if here is None:
            response.set_rcode(dns.rcode.NXDOMAIN)
        elif query.name == apex and not addresses and query.type in (dns.rdatatype.A, dns.rdatatype.ANY):
            return query.reply(dns.rcode.SERVFAIL)
        else:
            wanted = here if query.type == dns.rdatatype.ANY else [query.type]
            found = [(kind, here[kind]) for kind in wanted if here.get(kind)]
            response.answer = [self._set(query.name, kind, texts) for kind, texts in found]
        if not response.answer:  # how long "no" may be believed (RFC 2308)
            response.authority = [
                self._set(apex, dns.rdatatype.SOA, records[apex][dns.rdatatype.SOA]),
            ]
        return response

    def _start_of_authority(self, serial: int) -> str:
        return f"ns.{self.domain}. hostmaster.{self.domain}. {serial} {_TIMES_S} {self.ttl_s}"

    def _set(
        self, name: dns.name.Name, kind: dns.rdatatype.RdataType, texts: Sequence[str]
    ) -> dns.rrset.RRset:
        return dns.rrset.from_text_list(name, self.ttl_s, dns.rdataclass.IN, kind, list(texts))
