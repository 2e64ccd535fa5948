"""Finding whoever takes writes: all places are asked at once, over and over, as each may be a dead line."""

from __future__ import annotations

import asyncio
import threading
import time
from dataclasses import dataclass
from typing import Final

import psycopg

from topology.platform.backup.settings import CONNECT_S, Settings

#: For so long at most it is looked for before the caller is told that there is none.
LOOKS_FOR_S: Final = 5.0
AGAIN_AFTER_S: Final = 0.3
#: One that came back without knowing that it was replaced takes writes, too: the newest timeline counts.
OTHERS_WITHIN_S: Final = 0.5
_LOOK_EVERY_S: Final = 0.1
_ASK: Final = "SELECT pg_walfile_name(pg_current_wal_lsn())"


class NoPrimary(psycopg.OperationalError):
    """Nobody takes writes at any of the places, and what each said."""


@dataclass(frozen=True)
class Primary:
    """`place` is host:port."""

    place: str
    timeline: int


def find(settings: Settings, over: threading.Event) -> Primary:
    """Whoever takes writes, on the newest timeline if several do. Raises NoPrimary, also when `over` is set."""
    return asyncio.run(_find(settings, over))


async def _find(settings: Settings, over: threading.Event) -> Primary:
    said: dict[str, str] = {}
    asking = {asyncio.create_task(_ask_until_it_writes(settings, place, said)) for place in settings.places}
    found: list[Primary] = []
    deadline_s = time.monotonic() + LOOKS_FOR_S
    try:
        while asking and time.monotonic() < deadline_s and not over.is_set():
            done, asking = await asyncio.wait(
                asking, timeout=_LOOK_EVERY_S, return_when=asyncio.FIRST_COMPLETED
            )
            if done and not found:
                deadline_s = time.monotonic() + OTHERS_WITHIN_S
            found += [task.result() for task in done]
    finally:
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
    if not found:
        raise NoPrimary("; ".join(f"{place}: {why}" for place, why in said.items()) or "no place answers")
    return max(found, key=lambda primary: primary.timeline)


async def _ask_until_it_writes(settings: Settings, place: str, said: dict[str, str]) -> Primary:
    source = settings.source("postgres", f"{settings.node}-look", "postgres", at=place)
    said[place] = "no answer"
    while True:
        try:
            async with asyncio.timeout(2 * CONNECT_S):
                connection = await psycopg.AsyncConnection.connect(source, autocommit=True)
                async with connection:
                    row = await (await connection.execute(_ASK)).fetchone()
            assert row is not None
            return Primary(place, int(str(row[0])[:8], 16))
        except (psycopg.Error, TimeoutError) as error:
            said[place] = " ".join(str(error).split())[-100:] or "no answer"
        await asyncio.sleep(AGAIN_AFTER_S)
