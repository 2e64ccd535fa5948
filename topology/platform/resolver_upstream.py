"""Asking the domain's own name server: over UDP, twice, and over TCP when the answer is cut."""

from __future__ import annotations

import asyncio
import socket
from typing import Final

import dns.asyncquery
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype

DNS_PORT: Final = 53
TRIES: Final = 2
TRY_S: Final = 0.5


class Unanswered(Exception):
    """The server could not be asked, or said nothing that may be believed."""


class Upstream:
    """The name server, by name until it has once been found."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._address = ""

    @classmethod
    def parse(cls, text: str) -> Upstream:
        """From `host` or `host:port`. Raises ValueError for a port that is no number."""
        host, _, port = text.partition(":")
        return cls(host, int(port or DNS_PORT))

    async def ask(self, name: dns.name.Name, kind: dns.rdatatype.RdataType) -> dns.message.Message:
        """An authoritative answer, also that there is none. Raises Unanswered."""
        query = dns.message.make_query(name, kind, use_edns=True)
        query.flags &= ~dns.flags.RD
        why = "no answer"
        for _ in range(TRIES):
            try:
                response, _ = await dns.asyncquery.udp_with_fallback(
                    query,
                    await self._where(),
                    timeout=TRY_S,
                    port=self._port,
                    ignore_unexpected=True,
                    ignore_errors=True,
                )
            except (OSError, EOFError, dns.exception.DNSException) as error:
                why = str(error)
                continue
            believed = response.rcode() in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN)
            if believed and response.flags & dns.flags.AA:
                return response
            why = dns.rcode.to_text(response.rcode())
        raise Unanswered(why)

    async def _where(self) -> str:
        if not self._address:
            loop = asyncio.get_running_loop()
            found = await loop.getaddrinfo(self._host, None, family=socket.AF_INET, type=socket.SOCK_DGRAM)
            self._address = str(found[0][4][0])
        return self._address
