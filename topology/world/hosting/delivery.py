"""From the spool to the mailboxes: whose mailbox is where is looked up first.

    parcels ── lookup ─┬─ mailbox server ── ok | deferred | bounced
                       └─ no mailbox found ── deferred | bounced | discarded      as LOOKUP_FAILS says

No mailbox is found when the database knows no such user, and just as well when it gives no answer: a mail server that
cannot tell the two apart treats them alike.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

import aiosmtplib

from topology.world.hosting.lookup import Lookup, NoAnswer
from topology.world.hosting.spool import Parcel, Spool
from topology.world.relay import CONNECT_S, patience_s
from topology.world.site import say
from topology.world.smtp_out import Letter, Reply, SmtpSession

BATCH: Final = 64
#: A mailbox server that is silent for so long, in real seconds, is gone.
ANSWER_S: Final = 5.0


class LookupFails(StrEnum):
    """What becomes of a mail when no mailbox is found for it."""

    DEFER = "defer"
    BOUNCE = "bounce"
    DISCARD = "discard"


RESULTS: Final = {LookupFails.BOUNCE: "bounced", LookupFails.DISCARD: "discarded"}


class Delivery:
    """Delivers what is in the spool until it is cancelled. `servers`: name -> host and port."""

    def __init__(
        self,
        name: str,
        spool: Spool,
        lookup: Lookup,
        servers: Mapping[str, tuple[str, int]],
        lookup_fails: LookupFails,
        clock_scale: float,
    ) -> None:
        self._name, self._spool, self._lookup = name, spool, lookup
        self._servers, self._lookup_fails, self._scale = servers, lookup_fails, clock_scale
        self._sessions: dict[str, SmtpSession] = {}
        self._tries: Counter[tuple[str, str]] = Counter()
        self._said = ""

    async def run(self) -> None:
        try:
            while True:
                await self._deliver(await self._spool.next(BATCH))
        finally:
            for session in self._sessions.values():
                session.close()

    async def _deliver(self, parcels: Sequence[Parcel]) -> None:
        try:
            found = await self._lookup.mailboxes([parcel.to for parcel in parcels])
            why = "no such user"
        except NoAnswer as error:
            found, why = {}, f"the lookup failed: {error}"
        self._say_once(why if not found else "")
        by_server: dict[str, list[Parcel]] = defaultdict(list)
        for parcel in parcels:
            if (server := found.get(parcel.to)) in self._servers and server is not None:
                by_server[server].append(parcel)
            else:
                self._without_mailbox(parcel, why if server is None else f"no mailbox server {server}")
        await asyncio.gather(*(self._hand_over(server, mails) for server, mails in by_server.items()))

    def _without_mailbox(self, parcel: Parcel, why: str) -> None:
        if self._lookup_fails is LookupFails.DEFER:
            self._defer(parcel, f"450 {why}")
        else:
            self._spool.note(parcel, RESULTS[self._lookup_fails], f"550 {why}")

    async def _hand_over(self, server: str, parcels: Sequence[Parcel]) -> None:
        replies = await self._send(server, parcels)
        for parcel, reply in zip(parcels, replies, strict=True):
            if reply is not None and reply.taken:
                self._tries.pop(parcel.key, None)
                self._spool.note(parcel, "ok", str(reply))
            elif reply is not None and reply.final:
                self._spool.note(parcel, "bounced", str(reply))
            else:
                self._defer(parcel, str(reply) if reply else f"450 {server} does not answer")

    async def _send(self, server: str, parcels: Sequence[Parcel]) -> list[Reply | None]:
        session = self._sessions.get(server)
        if session is None or session.broken:
            host, port = self._servers[server]
            try:
                session = await SmtpSession.open(
                    host, port, name=self._name, connect_s=CONNECT_S, timeout_s=ANSWER_S
                )
            except (OSError, aiosmtplib.SMTPException):
                return [None] * len(parcels)
            self._sessions[server] = session
        return await session.send([Letter(parcel.sender, parcel.to, parcel.content) for parcel in parcels])

    def _defer(self, parcel: Parcel, reply: str) -> None:
        self._tries[parcel.key] += 1
        self._spool.note(parcel, "deferred", reply)
        wait_s = patience_s(self._tries[parcel.key], self._scale)
        asyncio.get_running_loop().call_later(wait_s, self._spool.put_back, [parcel])

    def _say_once(self, why: str) -> None:
        if why != self._said:
            self._said = why
            say(f"mails without a mailbox ({self._lookup_fails}): {why}" if why else "lookups find mailboxes")
