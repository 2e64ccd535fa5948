"""The mailer: hands the outbox to the delivery provider. Several work on one outbox; any of them may die any time."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeAlias

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from topology.service import serving
from topology.service.addresses import AddressBook
from topology.service.database import Database, Unavailable
from topology.service.loops import forever
from topology.service.mail import Message, compose
from topology.service.outbox import Batch, Outbox
from topology.service.providers import DEAD_S, Outcome, Site
from topology.service.serving import Program
from topology.service.settings import Settings, addresses

log: Final = logging.getLogger("mailer")

AT_ONCE: Final = 3
PAUSE_S: Final = 0.3
RETRY_S: Final = 1.0

#: Brings one claimed batch to the provider and notes that it is sent: what `deliver` promises.
Deliver: TypeAlias = Callable[[Outbox, Site, Batch, list[Message]], Awaitable[None]]


async def deliver(outbox: Outbox, site: Site, batch: Batch, messages: list[Message]) -> None:
    """First the provider has it, then it is noted. Whatever ends this half-way, the batch is handed over again."""
    outcome = await site.hand_over(messages)
    if outcome is Outcome.TAKEN:
        await outbox.sent(batch)
        return
    # A claim that found the batch untouched, and reached nobody, leaves it free for any site.
    free = batch.fresh and outcome is Outcome.NOT_TAKEN
    await outbox.give_back(
        batch, after_s=0.0 if free and site.resting else RETRY_S, any_site=free or site.dead
    )


@dataclass(frozen=True)
class Mailer:
    outbox: Outbox
    sites: tuple[Site, ...]
    service_url: str
    deliver: Deliver

    async def step(self) -> bool:
        """Take one batch to its site. Whether there was one."""
        ready = [site.name for site in self.sites if not site.resting]
        if not ready:
            return False
        batch = await self.outbox.claim(ready)
        if batch is None:
            return False
        messages = [compose(batch.event, to, self.service_url) for to in batch.recipients]
        site = next(site for site in self.sites if site.name == batch.provider)
        await self.deliver(self.outbox, site, batch, messages)
        return True


async def pending(outbox: Outbox, _request: Request) -> Response:
    """For operators: is there mail that no provider has taken yet?"""
    return JSONResponse({"pending": await outbox.pending()})


async def unavailable(_request: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, 503, headers={"Retry-After": "1"})


@asynccontextmanager
async def opening(settings: Settings, deliver: Deliver = deliver) -> AsyncIterator[Program]:
    book = AddressBook(settings.get("ADDRESS_KEY"))
    dead_s = float(settings.get("MAIL_SITE_DEAD_S", str(DEAD_S)))
    sites = tuple(Site(address, dead_s) for address in addresses(settings.get("MAIL_PROVIDERS")))
    async with Database(settings) as database:
        outbox = Outbox(database, book, settings.node)
        mailer = Mailer(outbox, sites, settings.get("SERVICE_URL").rstrip("/"), deliver)
        work = [forever("the mailer", mailer.step, PAUSE_S) for _ in range(AT_ONCE)]
        routes = [Route("/pending", partial(pending, outbox))]
        yield Program(
            lambda: database.writable or database.standing_by, routes, work, {Unavailable: unavailable}
        )


def main(deliver: Deliver = deliver) -> int:
    return serving.run(partial(opening, deliver=deliver))
