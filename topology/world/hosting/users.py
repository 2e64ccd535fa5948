"""`python -m topology hosted-users < users.jsonl`: these users and no others; run where the database takes writes.

One object a line: {"address", "mailbox"}. Prints how many users there are then. All or nothing, and again changes
nothing.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from typing import Final

import asyncpg

from topology.world.hosting.authentication import PORT, connect

ANSWERS_WITHIN_S: Final = 5.0


async def enrol(users: Sequence[tuple[str, str]], port: int, password: str) -> int:
    """Raises OSError or asyncpg.PostgresError."""
    connection = await connect("127.0.0.1", port, password, ANSWERS_WITHIN_S)
    try:
        async with connection.transaction():
            await connection.execute("DELETE FROM users")
            await connection.copy_records_to_table("users", records=users)
        return int(await connection.fetchval("SELECT count(*) FROM users"))
    finally:
        await connection.close()


def main() -> int:
    """0 done, 2 the input is wrong, 4 the database does not take it."""
    try:
        rows = [json.loads(line) for line in sys.stdin if line.strip()]
        users = [(str(row["address"]), str(row["mailbox"])) for row in rows]
    except (ValueError, KeyError, TypeError) as error:
        print(f"no users: {type(error).__name__}: {error}", file=sys.stderr)
        return 2
    try:
        port = int(os.environ.get("POSTGRES_PORT", PORT))
        print(asyncio.run(enrol(users, port, os.environ["DATABASE_PASSWORD"])))
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        print(f"nobody was enrolled: {error}", file=sys.stderr)
        return 4
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
