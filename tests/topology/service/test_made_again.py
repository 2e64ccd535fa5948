"""A broadcast that is made again, because a region took over that had not heard of it, is the same broadcast."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from tests.topology.service.conftest import customers, enrolled, settings
from tests.topology.service.postgres import Postgres
from topology.service.database import Database
from topology.service.ledger import _LINK, _ONCE, TELL
from topology.service.mail import message_id
from topology.service.outbox import _CLAIM
from topology.service.settings import Settings

EVENT = "20260311144640"
SITES = ["east:8000", "west:8000"]


async def made(server: Postgres) -> tuple[dict[int, Any], dict[int, str], set[int]]:
    """Links by person, sites by first person and broadcast numbers of a broadcast, as if it had never been made."""
    given = {**settings(server), "BIND": "127.0.0.1"}
    async with Database(Settings.from_environment(given)) as database:
        await database.wait_writable(10)
        async with database.session(10) as connection:
            transaction = connection.transaction()
            await transaction.start()
            # Two people to a mail batch, so that there are many.
            told = TELL.format(once=_ONCE, link=_LINK)
            await connection.fetch(told, EVENT, [1, 2, 3], time.monotonic_ns(), 2)
            links = await connection.fetch("SELECT broadcast, person, token FROM answers")
            sites: dict[int, str] = {}
            while rows := await connection.fetch(_CLAIM, "mailer", 60.0, SITES):
                sites[rows[0]["first"]] = rows[0]["provider"]
            await transaction.rollback()
    return {row["person"]: row["token"] for row in links}, sites, {row["broadcast"] for row in links}


def test_it_has_the_same_links_and_goes_to_the_same_sites(empty: Postgres) -> None:
    enrolled(empty, [line for company in (1, 2, 3) for line in customers(company, 20, standing=False)])
    first_links, first_sites, first_numbers = asyncio.run(made(empty))
    links, sites, numbers = asyncio.run(made(empty))

    assert len(links) == len(set(links.values())) == 60
    assert links == first_links
    assert numbers.isdisjoint(first_numbers)
    assert sites == first_sites
    assert len(sites) == 30
    assert set(sites.values()) == set(SITES), "both have their share"


def test_its_mails_have_the_same_ids_and_other_events_others() -> None:
    assert message_id(EVENT, 7, 1) == message_id(EVENT, 7, 1)
    ids = {message_id(event, person, 1) for event in (EVENT, "20260311144641", "余震") for person in (7, 8)}
    assert len(ids) == 6
