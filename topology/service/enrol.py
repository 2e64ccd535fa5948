"""`python -m topology enrol < customers.jsonl`: make the tables if there are none, and enrol companies and people.

All of it or nothing, in one transaction; again with the same lines changes nothing. Prints the personal token of
everyone whose company has a standing broadcast, one JSON object a line.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import asyncpg
import uvloop

from topology.service import schema
from topology.service.addresses import AddressBook
from topology.service.database import Database, Unavailable
from topology.service.enrolment import BadLine, Company, Person, read_lines
from topology.service.passwords import Passwords
from topology.service.pool import Connection
from topology.service.settings import Settings

WITHIN_S: Final = 30.0

_NEW_TABLES: Final = """
    CREATE TEMP TABLE new_companies (LIKE companies) ON COMMIT DROP;
    CREATE TEMP TABLE new_admins (LIKE admins) ON COMMIT DROP;
    CREATE TEMP TABLE new_people (LIKE people) ON COMMIT DROP;
"""
_ENROL: Final = """
    INSERT INTO companies SELECT * FROM new_companies ON CONFLICT (company) DO UPDATE SET
        name = excluded.name, areas = excluded.areas, least = excluded.least, tsunami = excluded.tsunami,
        special = excluded.special, coasts = excluded.coasts, prefectures = excluded.prefectures,
        standing = excluded.standing;
    INSERT INTO admins SELECT * FROM new_admins ON CONFLICT (company, name) DO UPDATE SET password = excluded.password;
    INSERT INTO people SELECT * FROM new_people ON CONFLICT (person) DO UPDATE SET
        name = excluded.name, area = excluded.area, carrier = excluded.carrier, address = excluded.address
        WHERE people.company = excluded.company;
"""
_MOVED: Final = """
    SELECT person FROM new_people JOIN people USING (person) WHERE new_people.company <> people.company LIMIT 1
"""
_STAND: Final = """
    INSERT INTO broadcasts (event, company, at_ns, people, standing)
    SELECT 'standing', c.company, $1, (SELECT count(*) FROM people p WHERE p.company = c.company), true
    FROM companies c WHERE c.standing AND c.company IN (SELECT company FROM new_companies)
    ON CONFLICT (event, company) DO UPDATE SET people = excluded.people
"""
_INVITE: Final = """
    INSERT INTO answers (broadcast, company, person)
    SELECT b.broadcast, p.company, p.person FROM broadcasts b JOIN people p USING (company)
    WHERE b.standing AND b.company IN (SELECT company FROM new_companies)
    ON CONFLICT (broadcast, person) DO NOTHING
"""
_TOKENS: Final = """
    SELECT a.person, a.token FROM broadcasts b JOIN answers a USING (broadcast)
    WHERE b.standing AND b.company IN (SELECT company FROM new_companies) ORDER BY a.person
"""


async def enrol(
    database: Database, settings: Settings, companies: Sequence[Company], people: Sequence[Person]
) -> str:
    """The tokens of standing broadcasts, as JSON lines. Raises BadLine or Unavailable; then nothing has changed."""
    book = AddressBook(settings.get("ADDRESS_KEY"))
    hashes = _hashes(settings, {company.password for company in companies})
    rows = [(p.person, p.company, p.name, p.area, p.carrier, book.seal(p.person, p.address)) for p in people]
    await database.wait_writable(WITHIN_S)
    async with database.session(WITHIN_S) as connection:
        await schema.create(connection)
        async with connection.transaction():
            await connection.execute(_NEW_TABLES)
            await _copy(connection, companies, hashes, rows)
            for row in await connection.fetch(_MOVED):
                raise BadLine(f"person {row['person']} is enrolled with another company")
            await connection.execute(_ENROL)
            await connection.execute(_STAND, time.monotonic_ns())
            await connection.execute(_INVITE)
            tokens = await connection.fetch(_TOKENS)
        await connection.execute("ANALYZE companies, people, answers")
    return "".join(json.dumps({"person": row["person"], "token": row["token"].hex}) + "\n" for row in tokens)


async def _copy(
    connection: Connection,
    companies: Sequence[Company],
    hashes: dict[str, str],
    people: Sequence[tuple[int, int, str, str, str, bytes]],
) -> None:
    await connection.copy_records_to_table(
        "new_companies",
        records=[
            (
                c.company,
                c.name,
                list(c.areas),
                c.least,
                c.tsunami,
                c.special,
                list(c.coasts),
                list(c.prefectures),
                c.standing,
            )
            for c in companies
        ],
    )
    await connection.copy_records_to_table(
        "new_admins", records=[(c.company, c.admin, hashes[c.password]) for c in companies]
    )
    await connection.copy_records_to_table("new_people", records=people)


def _hashes(settings: Settings, passwords: set[str]) -> dict[str, str]:
    """One hash for each different password; the hashing uses every processor."""
    chosen = sorted(passwords)
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        return dict(zip(chosen, threads.map(Passwords(settings).hash, chosen), strict=True))


async def _run(settings: Settings, companies: Sequence[Company], people: Sequence[Person]) -> int:
    async with Database(settings, connections=1, statement_s=WITHIN_S) as database:
        try:
            sys.stdout.write(await enrol(database, settings, companies, people))
        except (Unavailable, BadLine, asyncpg.IntegrityConstraintViolationError) as error:
            print(f"nothing was enrolled: {error}", file=sys.stderr)
            return 2 if not isinstance(error, Unavailable) else 4
    print(f"{len(companies)} companies, {len(people)} people", file=sys.stderr)
    return 0


def main() -> int:
    """0 done, 2 the input is wrong, 4 no database takes writes."""
    settings = Settings.from_environment()
    try:
        companies, people = read_lines(sys.stdin)
    except BadLine as error:
        print(f"nothing was enrolled: {error}", file=sys.stderr)
        return 2
    return uvloop.run(_run(settings, companies, people))
