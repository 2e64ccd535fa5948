"""The alerter: turns telegrams into broadcasts once the hold is over. Several do the same work; one would do."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Final, TypeAlias

from topology.service import serving
from topology.service.database import Database
from topology.service.feed_client import telegrams_after
from topology.service.http_client import NoAnswer, Unreached
from topology.service.ledger import Ledger, Owed
from topology.service.loops import forever
from topology.service.rules import matches
from topology.service.serving import Program
from topology.service.settings import Address, Settings, addresses

log: Final = logging.getLogger("alerter")

PAUSE_S: Final = 0.5
#: Companies that are told in one transaction.
TOLD_TOGETHER: Final = 50
#: After a failover the receivers first store what they could not store during it; it may be a cancellation.
SETTLED_S: Final = 3.0
#: If no feed API answers, the broadcast leaves all the same, so much later (drill seconds).
GRACE_S: Final = 60.0
STATEMENT_S: Final = 30.0
#: A feed that was not heard of for so long means that this node cannot do its work.
SILENT_S: Final = 10.0


class Alerter:
    def __init__(self, ledger: Ledger, grace_ns: int) -> None:
        self._ledger, self._grace_ns = ledger, grace_ns
        self._last: int | None = None
        self._primary: str | None = None
        self._taking = asyncio.Lock()
        #: When the latest question began that left nothing to ask for (monotonic ns).
        self._looked_at_ns = 0

    @property
    def healthy(self) -> bool:
        heard = time.monotonic_ns() - self._looked_at_ns < SILENT_S * 1e9
        database = self._ledger.database
        return database.standing_by or (heard and database.writable)

    async def listen(self, api: Address) -> bool:
        """Take in what an API has to tell. Whether there was anything."""
        last = await self._last_number()
        began_ns = time.monotonic_ns()
        try:
            reports = await telegrams_after(api, last)
        except (Unreached, NoAnswer) as error:
            log.debug("%s", error)
            return False
        async with self._taking:
            new = [report for report in reports if report.number > (self._last or 0)]
            if new:
                await self._ledger.add(new)
                self._last = new[-1].number
                log.info(
                    "telegrams up to %d: %s", self._last, ", ".join(report.telegram.event for report in new)
                )
        if not reports:
            self._looked_at_ns = max(self._looked_at_ns, began_ns)
        return bool(reports)

    async def tell(self) -> bool:
        """Make the broadcasts that are due. Never says that there is more: what is left is left for the next round."""
        for owed in await self._ledger.owed(time.monotonic_ns()):
            if self._sure(owed):
                await self._tell_of(owed)
        return False

    def _sure(self, owed: Owed) -> bool:
        """Whether a cancellation that came within the hold would be known here by now."""
        if self._ledger.database.settled_s < SETTLED_S:
            return False
        return self._looked_at_ns >= owed.due_at_ns or time.monotonic_ns() >= owed.due_at_ns + self._grace_ns

    async def _tell_of(self, owed: Owed) -> None:
        now = await self._ledger.situation(owed.event)
        if now.since_ns is None:
            return
        rules = await self._ledger.untold(owed.event)
        concerned = [company for company, rule in rules.items() if matches(rule, now.areas, now.warned)]
        for start in range(0, len(concerned), TOLD_TOGETHER):
            told = await self._ledger.tell(owed.event, concerned[start : start + TOLD_TOGETHER])
            if told:
                people = sum(one.people for one in told)
                log.info("event %s: %d companies told, %d people", owed.event, len(told), people)
        await self._ledger.settle(owed)

    async def _last_number(self) -> int:
        """Read anew whenever another database has taken over."""
        async with self._taking:
            primary = self._ledger.database.primary
            if self._last is None or primary != self._primary:
                self._last = await self._ledger.last_number()
                self._primary = primary
            return self._last


#: Makes the ledger of an alerter.
MakeLedger: TypeAlias = Callable[[Database, int], Ledger]


@asynccontextmanager
async def opening(settings: Settings, make_ledger: MakeLedger = Ledger) -> AsyncIterator[Program]:
    async with Database(settings, connections=3, statement_s=STATEMENT_S) as database:
        alerter = Alerter(
            make_ledger(database, settings.hold_ns), round(GRACE_S / settings.clock_scale * 1e9)
        )
        apis = addresses(settings.get("FEED_APIS"))
        work = [forever(f"listening to {api}", partial(alerter.listen, api), PAUSE_S) for api in apis]
        work.append(forever("telling", alerter.tell, PAUSE_S))
        yield Program(lambda: alerter.healthy, work=work)


def main(make_ledger: MakeLedger = Ledger) -> int:
    return serving.run(partial(opening, make_ledger=make_ledger))
