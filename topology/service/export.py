"""`python -m topology export WHAT`: the service's state, one JSON object a line, from the primary.

WHAT is one of answers, broadcasts, events, outbox, companies, telegrams. `--within S` is how long to wait for a
primary (15 s).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

import asyncpg
import uvloop

from topology.service.addresses import AddressBook, Unreadable
from topology.service.database import Database, Unavailable
from topology.service.mail import message_id
from topology.service.settings import Settings

WITHIN_S: Final = 15.0
#: The largest exports take seconds, not minutes.
STATEMENT_S: Final = 60.0

Row: TypeAlias = "dict[str, Any]"

_QUERIES: Final[Mapping[str, str]] = {
    "answers": """
        SELECT person, a.company, broadcast, event, status, CASE WHEN come THEN 'yes' ELSE 'no' END AS come, comment,
               answered_at_ns
        FROM answers a JOIN broadcasts b USING (broadcast) WHERE status IS NOT NULL ORDER BY broadcast, person""",
    "broadcasts": "SELECT broadcast, event, company, at_ns, people, standing FROM broadcasts ORDER BY broadcast",
    "events": """
        SELECT event, kind, info, status, received_at_ns, due_at_ns, cancelled, broadcast_at_ns FROM events
        ORDER BY received_at_ns, event""",
    "outbox": """
        SELECT b.event, p.person, b.company, p.address, b.at_ns, m.sent_at_ns, m.provider
        FROM batches m JOIN broadcasts b USING (broadcast)
        JOIN people p ON p.company = b.company AND p.person BETWEEN m.first AND m.last
        ORDER BY b.broadcast, p.person""",
    "companies": """
        SELECT c.company, c.name, count(p.person) AS people, c.areas, c.least, c.tsunami, c.special, c.coasts,
               c.prefectures, c.standing
        FROM companies c LEFT JOIN people p USING (company) GROUP BY c.company ORDER BY c.company""",
    "telegrams": """
        SELECT number, kind, event, info, status, reported, serial, areas::text, tsunami, special, received_at_ns,
               receiver, NULL AS problem FROM telegrams
        UNION ALL
        SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, received_at_ns, receiver, problem
        FROM refused
        ORDER BY received_at_ns""",
}


def _plain(row: asyncpg.Record, _book: AddressBook) -> Row:
    return dict(row)


def _outbox(row: asyncpg.Record, book: AddressBook) -> Row:
    """`to` is null where the address cannot be opened; such a mail was never sent."""
    try:
        to = book.open(row["person"], row["address"])
    except Unreadable:
        to = None
    return {
        "id": message_id(row["event"], row["person"], row["company"]),
        "event": row["event"],
        "to": to,
        "at_ns": row["at_ns"],
        "sent_at_ns": row["sent_at_ns"],
        "provider": row["provider"] if row["sent_at_ns"] is not None else None,
        "person": row["person"],
        "company": row["company"],
    }


def _telegram(row: asyncpg.Record, _book: AddressBook) -> Row:
    areas = row["areas"]
    reported = row["reported"].isoformat() if row["reported"] else None
    return {**row, "areas": json.loads(areas) if areas else None, "reported": reported}


_SHAPES: Final[Mapping[str, Callable[[asyncpg.Record, AddressBook], Row]]] = {
    "outbox": _outbox,
    "telegrams": _telegram,
}


async def export(database: Database, book: AddressBook, what: str) -> list[str]:
    """The lines. Raises Unavailable."""
    shape = _SHAPES.get(what, _plain)
    async with database.session() as connection:
        rows = await connection.fetch(_QUERIES[what])
    return [json.dumps(shape(row, book), ensure_ascii=False) for row in rows]


async def _run(settings: Settings, what: str, within_s: float) -> int:
    book = AddressBook(settings.get("ADDRESS_KEY"))
    async with Database(settings, connections=1, statement_s=STATEMENT_S) as database:
        try:
            await database.wait_writable(within_s)
            lines = await export(database, book, what)
        except Unavailable as error:
            print(f"{what} cannot be read: {error}", file=sys.stderr)
            return 4
    sys.stdout.writelines(f"{line}\n" for line in lines)
    return 0


def main() -> int:
    """0 done, 2 wrong arguments, 4 no database could be read."""
    parser = argparse.ArgumentParser(prog="topology export", description="The service's state as JSON lines.")
    parser.add_argument("what", choices=sorted(_QUERIES))
    parser.add_argument(
        "--within", type=float, default=WITHIN_S, metavar="S", help="wait so long for a primary"
    )
    chosen = parser.parse_args()
    return uvloop.run(_run(Settings.from_environment(), chosen.what, chosen.within))
