"""What administrators see of their own company: the tally, who is unconfirmed, all answers.

Every statement here takes the company from the session and filters by it, whatever else was asked for.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from topology.service.answers import STATUSES
from topology.service.database import Database, Rows

#: The latest broadcast, or the standing one while there was no other; or the one that was asked for, if it is theirs.
_CHOSEN: Final = """
    WITH chosen AS (
        SELECT * FROM broadcasts WHERE company = $1 AND ($2::bigint IS NULL OR broadcast = $2)
        ORDER BY standing, broadcast DESC LIMIT 1
    )"""
_TALLY: Final = f"""{_CHOSEN}
    SELECT c.broadcast, c.event, c.standing, c.made_at, c.people, a.status, a.come, count(a.token) AS answers
    FROM chosen c LEFT JOIN answers a ON a.broadcast = c.broadcast AND a.company = $1 AND a.status IS NOT NULL
    GROUP BY 1, 2, 3, 4, 5, 6, 7
"""  # noqa: S608 -- put together from constants
_PEOPLE: Final = f"""{_CHOSEN}
    SELECT p.person, p.name, p.area, a.status, a.come, a.comment, a.answered_at
    FROM chosen c JOIN answers a ON a.broadcast = c.broadcast AND a.company = $1
    JOIN people p ON p.person = a.person AND p.company = $1
"""  # noqa: S608
_UNCONFIRMED: Final = _PEOPLE + " WHERE a.status IS NULL ORDER BY p.person"
_ANSWERS: Final = _PEOPLE + " ORDER BY p.person"
_HEADINGS: Final = ("number", "name", "area", "status", "can_come", "remark", "answered_at")
#: A cell that begins with one of these is a formula to a spreadsheet.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


@dataclass(frozen=True)
class Tally:
    broadcast: int
    event: str
    standing: bool
    made_at: datetime
    people: int
    answered: int
    can_come: int
    by_status: Mapping[str, int]


async def company_name(database: Database, company: int) -> str:
    rows = await database.read("SELECT name FROM companies WHERE company = $1", company)
    return str(rows[0]["name"]) if rows else ""


async def owns(database: Database, company: int, broadcast: int) -> bool:
    """Whether the broadcast is the company's."""
    return bool(
        await database.read(
            "SELECT 1 FROM broadcasts WHERE company = $1 AND broadcast = $2", company, broadcast
        )
    )


async def tally(database: Database, company: int, broadcast: int | None) -> Tally | None:
    """None if the company has had no broadcast."""
    rows = await database.read(_TALLY, company, broadcast)
    if not rows:
        return None
    by_status = {
        status: sum(row["answers"] for row in rows if row["status"] == status) for status in STATUSES
    }
    first = rows[0]
    return Tally(
        first["broadcast"],
        first["event"],
        first["standing"],
        first["made_at"],
        first["people"],
        sum(by_status.values()),
        sum(row["answers"] for row in rows if row["come"]),
        by_status,
    )


async def unconfirmed(database: Database, company: int, broadcast: int | None) -> Rows:
    return await database.read(_UNCONFIRMED, company, broadcast)


async def answers_csv(
    database: Database, company: int, broadcast: int | None, words: Mapping[str, str]
) -> bytes:
    """Everyone of the broadcast with their answer, for a spreadsheet: UTF-8 with a mark, CRLF, no formulas.

    Headings and answers are in the given `words`, those of the pages.
    """
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow([words[heading] for heading in _HEADINGS])
    for row in await database.read(_ANSWERS, company, broadcast):
        status = words[row["status"]] if row["status"] else ""
        come = {True: words["yes"], False: words["no"], None: ""}[row["come"]]
        at = row["answered_at"].isoformat() if row["answered_at"] else ""
        cells = (row["name"], row["area"], status, come, row["comment"] or "", at)
        table.writerow([row["person"], *map(_plain, cells)])
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def _plain(cell: str) -> str:
    """Kept from being taken for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
