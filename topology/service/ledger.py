"""The alerters' ledger: what is known of each event, and which companies were told. All alerters share it.

That a company is told once is kept by the database alone (`told_once`): an alerter that comes second, or again after
a crash or a failover, finds the broadcast there and changes nothing. Every method is one statement, so nothing is held
by an alerter that vanishes in the middle. All raise Unavailable.
"""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import asyncpg

from topology.service.database import Database, NoTables
from topology.service.report import Report, as_json, from_row
from topology.service.rules import Rule
from topology.service.situation import Situation, situation

#: Mails that leave together, see `outbox`.
BATCH: Final = 250
TELL_WITHIN_S: Final = 30.0

_LAST: Final = "SELECT coalesce(max(latest), 0) AS number FROM events"
_REPORTS: Final = """
    SELECT number, event, kind, info, status, reported, serial, areas::text, tsunami, special, received_at_ns
    FROM reports WHERE event = ANY ($1::text[]) ORDER BY number
"""
_ADD: Final = """
    WITH added AS (
        INSERT INTO reports
        SELECT * FROM jsonb_to_recordset($1::text::jsonb) AS r (
            number bigint, event text, kind text, info text, status text, reported timestamptz, serial integer,
            areas jsonb, tsunami boolean, special boolean, received_at_ns bigint)
        ON CONFLICT (number) DO NOTHING
    )
    INSERT INTO events AS e (event, kind, info, status, received_at_ns, due_at_ns, cancelled, latest)
    SELECT * FROM jsonb_to_recordset($2::text::jsonb) AS r (
        event text, kind text, info text, status text, received_at_ns bigint, due_at_ns bigint, cancelled boolean,
        latest bigint)
    ORDER BY event
    ON CONFLICT (event) DO UPDATE SET info = excluded.info, status = excluded.status, due_at_ns = excluded.due_at_ns,
        cancelled = excluded.cancelled, latest = excluded.latest
    WHERE e.latest < excluded.latest
"""
_OWED: Final = """
    SELECT event, latest, due_at_ns FROM events WHERE settled < latest AND due_at_ns <= $1 ORDER BY due_at_ns
"""
_UNTOLD: Final = """
    SELECT company, areas, least, tsunami, special, coasts, prefectures FROM companies c
    WHERE NOT standing AND NOT EXISTS (SELECT FROM broadcasts b WHERE b.event = $1 AND b.company = c.company)
    ORDER BY company
"""
#: `{once}` is what keeps a second broadcast from being made, `{link}` makes the personal links.
TELL: Final = """
    WITH made AS (
        INSERT INTO broadcasts (event, company, at_ns, people, standing)
        SELECT $1, c.company, $3, (SELECT count(*) FROM people p WHERE p.company = c.company), false
        FROM companies c WHERE c.company = ANY ($2::integer[]) {once}
        RETURNING broadcast, company, people
    ), invited AS (
        SELECT m.broadcast, m.company, p.person, {link} AS token,
               (row_number() OVER (PARTITION BY m.broadcast ORDER BY p.person) - 1) / $4::integer AS part
        FROM made m JOIN people p USING (company)
    ), answerable AS (
        INSERT INTO answers (token, broadcast, company, person) SELECT token, broadcast, company, person FROM invited
    ), outgoing AS (
        INSERT INTO batches (broadcast, first, last)
        SELECT broadcast, min(person), max(person) FROM invited GROUP BY broadcast, part
    ), noted AS (
        UPDATE events SET broadcast_at_ns = coalesce(broadcast_at_ns, $3)
        WHERE event = $1 AND EXISTS (SELECT FROM made)
    )
    SELECT company, people FROM made ORDER BY company
"""
_ONCE: Final = "ORDER BY c.company ON CONFLICT ON CONSTRAINT told_once DO NOTHING"
#: Always the same for the same person and event. A region that takes over may not have had the broadcast yet of which
#: the mail had left: the one that it makes has the same links. Nobody can guess one: a sealed address begins with
#: twelve random bytes, and leaves the database no more than an address does.
_LINK: Final = "encode(substr(sha256(p.address || convert_to($1, 'UTF8')), 1, 16), 'hex')::uuid"
_SETTLE: Final = "UPDATE events SET settled = $2 WHERE event = $1 AND settled < $2"


@dataclass(frozen=True)
class Owed:
    """An event whose hold is over and whose companies may not all have been told."""

    event: str
    latest: int
    due_at_ns: int


@dataclass(frozen=True)
class Told:
    company: int
    people: int


def rule_of(row: asyncpg.Record) -> Rule:
    """A company's rule, from its row."""
    return Rule(
        areas=frozenset(row["areas"]),
        least=row["least"],
        tsunami=row["tsunami"],
        special=row["special"],
        coasts=frozenset(row["coasts"]),
        prefectures=frozenset(row["prefectures"]),
    )


class Ledger:
    def __init__(self, database: Database, hold_ns: int) -> None:
        self.database = database
        self._hold_ns = hold_ns

    async def last_number(self) -> int:
        """The number up to which every telegram has been taken in."""
        try:
            return int((await self.database.read(_LAST))[0]["number"])
        except NoTables:
            return 0

    async def add(self, reports: Sequence[Report]) -> None:
        """Take in telegrams, in the feed's order, and what follows for their events: all of it or nothing."""
        events: dict[str, dict[int, Report]] = defaultdict(dict)
        for row in await self.database.read(_REPORTS, [report.telegram.event for report in reports]):
            events[row["event"]][row["number"]] = from_row(dict(row))
        for report in reports:
            events[report.telegram.event][report.number] = report
        states = [self._state(sorted(known.values(), key=lambda r: r.number)) for known in events.values()]
        await self.database.write(
            _ADD, json.dumps([as_json(report) for report in reports]), json.dumps(states)
        )

    async def owed(self, now_ns: int) -> list[Owed]:
        """Events whose hold is over and about which someone may still have to be told."""
        rows = await self.database.read(_OWED, now_ns)
        return [Owed(row["event"], row["latest"], row["due_at_ns"]) for row in rows]

    async def situation(self, event: str) -> Situation:
        return situation([from_row(dict(row)) for row in await self.database.read(_REPORTS, [event])])

    async def untold(self, event: str) -> Mapping[int, Rule]:
        """The rules of all companies that were not told of the event. Those with a standing broadcast need no other."""
        rows = await self.database.read(_UNTOLD, event)
        return {row["company"]: rule_of(row) for row in rows}

    async def tell(self, event: str, companies: Sequence[int]) -> list[Told]:
        """Make each one's broadcast: a link for everyone, and the mails to be sent. Who had it already is left out."""
        rows = await self.database.write(
            TELL.format(once=_ONCE, link=_LINK),
            event,
            list(companies),
            time.monotonic_ns(),
            BATCH,
            within_s=TELL_WITHIN_S,
        )
        return [Told(row["company"], row["people"]) for row in rows]

    async def settle(self, owed: Owed) -> None:
        """Everyone concerned was told, as far as was known with the event's latest telegram."""
        await self.database.write(_SETTLE, owed.event, owed.latest)

    def _state(self, reports: Sequence[Report]) -> Mapping[str, str | int | bool | None]:
        """A row of `events`, from all its telegrams in the feed's order."""
        now = situation(reports)
        first, latest = reports[0], reports[-1]
        return {
            "event": first.telegram.event,
            "kind": first.telegram.kind,
            "info": latest.telegram.info,
            "status": latest.telegram.status,
            "received_at_ns": first.received_at_ns,
            "due_at_ns": None if now.since_ns is None else now.since_ns + self._hold_ns,
            "cancelled": now.cancelled,
            "latest": latest.number,
        }
