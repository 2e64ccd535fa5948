"""The outbox: batches of mail that a broadcast left to be handed to a delivery provider.

    unsent ──claim──► claimed, for some seconds ──sent──► sent
       ▲                  │
       └── the claimant died, or could not hand it over

A claim is one statement and is committed before anything leaves, with the site that is about to be asked. Whoever
claims the batch next asks the same site, which knows every mail by its id; another site would send it twice.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import asyncpg

from topology.service.addresses import AddressBook, Unreadable
from topology.service.database import Database, NoTables
from topology.service.mail import Recipient

log: Final = logging.getLogger("mailer")

#: After this the claimant is taken for dead. Longer than handing over takes.
LEASE_S: Final = 10.0

# A batch that no site was asked for yet is given to the one that its first person falls to, among those that can be
# asked now. So every mailer would ask the same, in another region, too, that does not know yet who was asked.
_CLAIM: Final = """
    WITH claimed AS (
        UPDATE batches SET claimed_by = $1, claimed_until = now() + make_interval(secs => $2),
            provider = coalesce(provider, ($3::text[])[1 + abs(hashint4(first)::bigint) % cardinality($3::text[])])
        WHERE (broadcast, first) = (
            SELECT broadcast, first FROM batches
            WHERE sent_at_ns IS NULL AND (claimed_until IS NULL OR claimed_until < now())
              AND (provider IS NULL OR provider = ANY ($3::text[]))
            ORDER BY broadcast, first LIMIT 1 FOR UPDATE SKIP LOCKED)
        RETURNING new.broadcast, new.first, new.last, new.provider, old.provider AS asked
    )
    SELECT m.broadcast, m.first, m.provider, m.asked IS NULL AS fresh, b.event, c.company, c.name AS company_name,
           a.person, a.token, p.name, p.address
    FROM claimed m JOIN broadcasts b USING (broadcast) JOIN companies c USING (company)
    JOIN answers a ON a.broadcast = m.broadcast AND a.person BETWEEN m.first AND m.last
    JOIN people p ON p.person = a.person
    ORDER BY a.person
"""
_SENT: Final = "UPDATE batches SET sent_at_ns = $3 WHERE broadcast = $1 AND first = $2 AND sent_at_ns IS NULL"
_GIVE_BACK: Final = """
    UPDATE batches SET claimed_until = now() + make_interval(secs => $4),
                       provider = CASE WHEN $5 THEN NULL ELSE provider END
    WHERE broadcast = $1 AND first = $2 AND claimed_by = $3 AND sent_at_ns IS NULL
"""
_PENDING: Final = "SELECT count(*) AS batches FROM batches WHERE sent_at_ns IS NULL"


@dataclass(frozen=True)
class Batch:
    """`fresh`: no site can have seen it before this claim."""

    broadcast: int
    first: int
    event: str
    provider: str
    fresh: bool
    recipients: tuple[Recipient, ...]


class Outbox:
    """All methods raise Unavailable."""

    def __init__(self, database: Database, book: AddressBook, claimant: str) -> None:
        self._database, self._book, self._claimant = database, book, claimant

    async def claim(self, reachable: Sequence[str]) -> Batch | None:
        """The oldest batch that nobody works on and whose site can be asked; None if there is none."""
        rows = await self._database.write(_CLAIM, self._claimant, LEASE_S, list(reachable))
        if not rows:
            return None
        first = rows[0]
        recipients = tuple(to for row in rows if (to := self._recipient(row)) is not None)
        return Batch(
            first["broadcast"], first["first"], first["event"], first["provider"], first["fresh"], recipients
        )

    async def sent(self, batch: Batch) -> None:
        """The provider has taken all of it."""
        await self._database.write(_SENT, batch.broadcast, batch.first, time.monotonic_ns())

    async def give_back(self, batch: Batch, *, after_s: float, any_site: bool) -> None:
        """It was not handed over. `any_site`: it is certain, or to be risked, that its site never took it."""
        await self._database.write(
            _GIVE_BACK, batch.broadcast, batch.first, self._claimant, after_s, any_site
        )

    async def pending(self) -> int:
        """How many batches no provider has taken yet."""
        try:
            return int((await self._database.read(_PENDING))[0]["batches"])
        except NoTables:
            return 0

    def _recipient(self, row: asyncpg.Record) -> Recipient | None:
        """None, and a word in the log, for someone whose address cannot be opened: the others get their mail."""
        try:
            address = self._book.open(row["person"], row["address"])
        except Unreadable as error:
            log.error("no mail: %s", error)
            return None
        return Recipient(
            row["person"], row["company"], row["name"], row["company_name"], address, row["token"].hex
        )
