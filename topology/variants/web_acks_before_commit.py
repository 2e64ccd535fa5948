"""The web node, acknowledging an answer before it is committed: fast, until something breaks."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from dataclasses import replace
from typing import Final

from topology.service import answers, web
from topology.service.answers import Answer, Sheet
from topology.service.database import Database, Unavailable

COMMITTED_AFTER_S: Final = 0.5

_committing: set[asyncio.Task[None]] = set()


async def record(database: Database, token: str, answer: Answer, asked_at_ns: int) -> Sheet | None:
    """Says that the answer is kept, and keeps it later, if it can."""
    sheet = await answers.find(database, token)
    if sheet is None:
        return None
    task = asyncio.create_task(_commit(database, token, answer, asked_at_ns))
    _committing.add(task)
    task.add_done_callback(_committing.discard)
    return replace(sheet, answer=answer)


async def _commit(database: Database, token: str, answer: Answer, asked_at_ns: int) -> None:
    await asyncio.sleep(COMMITTED_AFTER_S)
    with suppress(Unavailable):
        await answers.record(database, token, answer, asked_at_ns)


if __name__ == "__main__":
    sys.exit(web.main(record))
