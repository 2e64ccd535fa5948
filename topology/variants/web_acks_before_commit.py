"""The web node, acknowledging an answer before it is committed: fast, until something breaks."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from dataclasses import replace
from typing import Final

from topology.service import answers, web
from topology.service.answers import Answer, OutOfDate, Sheet
from topology.service.database import Database, Unavailable

COMMITTED_AFTER_S: Final = 0.5

_committing: set[asyncio.Task[None]] = set()


async def record(database: Database, token: str, answer: Answer, version: int) -> Sheet | None:
    """Says that the answer is kept, and keeps it later, if it can."""
    sheet = await answers.find(database, token)
    if sheet is None:
        return None
    task = asyncio.create_task(_commit(database, token, answer, version))
    _committing.add(task)
    task.add_done_callback(_committing.discard)
    return replace(sheet, answer=answer, version=version + 1)


async def _commit(database: Database, token: str, answer: Answer, version: int) -> None:
    await asyncio.sleep(COMMITTED_AFTER_S)
    with suppress(Unavailable, OutOfDate):
        await answers.record(database, token, answer, version)


if __name__ == "__main__":
    sys.exit(web.main(record))
