"""The outbox and the mailers: every mail reaches the provider, whatever dies in between."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.topology.service.conftest import customers, enrolled, exported, settings
from tests.topology.service.node import Node, until
from tests.topology.service.postgres import Postgres, free_port
from tests.topology.service.provider import Provider
from topology.service.database import Database
from topology.service.ledger import Ledger
from topology.service.settings import Settings

pytestmark = pytest.mark.takes(25)

Start = Callable[..., Node]
PEOPLE = 600


@pytest.fixture
def east() -> Iterator[Provider]:
    provider = Provider()
    yield provider
    provider.close()


@pytest.fixture
def west() -> Iterator[Provider]:
    provider = Provider()
    yield provider
    provider.close()


def broadcast(server: Postgres, people: int = PEOPLE, companies: tuple[int, ...] = (1,)) -> None:
    """Enrol and tell: the mails are in the outbox."""
    enrolled(server, [line for company in companies for line in customers(company, people, standing=False)])

    async def tell() -> None:
        async with Database(Settings.from_environment(settings(server))) as database:
            await database.wait_writable(5)
            await Ledger(database, 0).tell("20260311144640", companies)

    asyncio.run(tell())


def mailer(start: Start, server: Postgres, *providers: str, program: str = "mailer", **given: str) -> Node:
    return start(
        program, server, MAIL_PROVIDERS=",".join(providers), SERVICE_URL="https://anpi.example", **given
    ).until_healthy()


def all_sent(server: Postgres) -> bool:
    return not server.query("SELECT 1 FROM batches WHERE sent_at_ns IS NULL")


def expire_claims(server: Postgres) -> None:
    """As if the lease had run out."""
    server.query("UPDATE batches SET claimed_until = now() - interval '1 second' WHERE sent_at_ns IS NULL")


def test_everyone_gets_one_mail_with_their_own_link(empty: Postgres, start: Start, east: Provider) -> None:
    broadcast(empty, 3)
    mailer(start, empty, east.address)
    until(lambda: all_sent(empty), 5, "all is sent")

    links = {
        f"p{row['person']}@docomo.example": row["token"].hex for row in empty.query("SELECT * FROM answers")
    }
    mails: dict[str, dict[str, Any]] = {mail["to"]: mail for mail in east.taken}
    assert mails.keys() == links.keys()
    for address, mail in mails.items():
        assert re.findall(r"https://\S+", mail["text"]) == [f"https://anpi.example/a/{links[address]}"]
        assert mail["subject"] == "安否確認 Company 1"
        assert mail["headers"] == {"X-Event": "20260311144640"}
    outbox = exported(empty, "outbox")
    assert sorted(east.ids()) == sorted(str(row["id"]) for row in outbox)
    assert all(re.fullmatch(r"\d+\.\d+\.1@anpi\.example", str(row["id"])) for row in outbox)
    assert {row["provider"] for row in outbox} == {east.address}


def test_who_was_mailed_is_known_also_when_the_answers_are_gone(empty: Postgres) -> None:
    broadcast(empty, 3)
    outbox = exported(empty, "outbox")
    assert len(outbox) == 3
    empty.query("DELETE FROM answers")
    assert exported(empty, "outbox") == outbox


def test_two_mailers_and_two_sites_share_the_work_and_send_nothing_twice(
    empty: Postgres, start: Start, east: Provider, west: Provider
) -> None:
    broadcast(empty, PEOPLE, (1, 2, 3))
    east.mode = west.mode = "fail"
    nodes = [mailer(start, empty, east.address, west.address) for _ in range(2)]
    assert nodes[0].ask("GET", "/pending").body == b'{"pending":9}'

    east.mode = west.mode = "take"
    until(lambda: all_sent(empty), 8, "all is sent")
    assert nodes[1].ask("GET", "/pending").body == b'{"pending":0}'

    assert Counter(east.ids() + west.ids()).most_common(1)[0][1] == 1
    assert len(east.ids() + west.ids()) == 3 * PEOPLE
    assert east.ids()
    assert west.ids()


def test_a_mailer_that_dies_after_handing_over_sends_the_same_again_to_the_same_site(
    empty: Postgres, start: Start, east: Provider, west: Provider
) -> None:
    """The site knows the mails by their ids, so this is how nothing is lost and nothing comes twice."""
    broadcast(empty, 200)
    for site in (east, west):
        site.mode = "silent"
    first = mailer(start, empty, east.address, west.address)
    until(lambda: len(east.ids() + west.ids()) == 200, 5, "the mails are handed over")
    (asked,) = [site for site in (east, west) if site.ids()]
    first.kill()
    east.mode = west.mode = "take"
    expire_claims(empty)

    for _ in range(2):
        mailer(start, empty, east.address, west.address)
    until(lambda: all_sent(empty), 5, "all is sent")

    other = west if asked is east else east
    assert sorted(asked.ids()) == sorted(2 * list(set(asked.ids())))
    assert other.ids() == []


def test_a_mailer_that_dies_before_handing_over_loses_nothing(
    empty: Postgres, start: Start, east: Provider
) -> None:
    broadcast(empty, 200)
    east.mode = "cut"
    first = mailer(start, empty, east.address)
    until(lambda: east.asked > 0, 5, "the site is asked")
    first.kill()
    east.mode = "take"
    expire_claims(empty)

    mailer(start, empty, east.address)
    until(lambda: all_sent(empty), 5, "all is sent")

    assert len(set(east.ids())) == 200


@pytest.mark.parametrize("trouble", ["fail", "refuse", "full"])
def test_what_a_site_does_not_take_is_tried_again(
    empty: Postgres, start: Start, east: Provider, trouble: str
) -> None:
    broadcast(empty, 10)
    east.mode = trouble
    mailer(start, empty, east.address)
    until(lambda: east.asked >= 2, 8, "it is tried again")
    assert {row["sent_at_ns"] for row in exported(empty, "outbox")} == {None}

    east.mode = "take"
    until(lambda: all_sent(empty), 5, "all is sent")
    assert len(east.ids()) == 10


def test_a_site_that_cannot_be_reached_holds_up_nothing(
    empty: Postgres, start: Start, west: Provider
) -> None:
    broadcast(empty)
    mailer(start, empty, f"127.0.0.1:{free_port()}", west.address)

    until(lambda: all_sent(empty), 8, "all is sent by the other site")

    assert sorted(west.ids()) == sorted(set(west.ids()))


def test_a_site_whose_disk_takes_nothing_holds_up_nothing(
    empty: Postgres, start: Start, east: Provider, west: Provider
) -> None:
    broadcast(empty)
    east.mode = "full"
    mailer(start, empty, east.address, west.address)

    until(lambda: all_sent(empty), 8, "all is sent by the other site")

    assert east.asked
    assert sorted(west.ids()) == sorted(set(west.ids()))


def test_what_a_dead_site_may_have_taken_goes_to_another_only_when_it_stays_dead(
    empty: Postgres, start: Start, east: Provider, west: Provider
) -> None:
    broadcast(empty, 10)
    empty.query("UPDATE batches SET provider = $1, claimed_until = now()", east.address)
    east.close()
    mailer(start, empty, east.address, west.address, MAIL_SITE_DEAD_S="2")

    until(lambda: all_sent(empty), 10, "all is sent by the other site")

    assert len(west.ids()) == 10
    early = mailer(start, empty, east.address, west.address).read_log()
    assert "@docomo.example" not in early


def test_the_outbox_waits_for_the_database(mortal: Postgres, start: Start, east: Provider) -> None:
    broadcast(mortal, 10)
    mortal.kill()
    node = start("mailer", mortal, MAIL_PROVIDERS=east.address, SERVICE_URL="https://anpi.example")
    mortal.start()

    until(lambda: all_sent(mortal), 5, "all is sent", node.read_log)

    assert len(east.ids()) == 10


def test_no_address_and_no_link_is_ever_logged(empty: Postgres, start: Start, east: Provider) -> None:
    broadcast(empty, 5)
    east.mode = "fail"
    node = mailer(start, empty, east.address)
    until(lambda: east.asked >= 1, 5, "it was tried")
    east.mode = "take"
    until(lambda: all_sent(empty), 5, "all is sent")

    log = node.read_log()
    assert "docomo.example" not in log
    assert "/a/" not in log


def test_an_address_that_cannot_be_opened_does_not_hold_up_the_others(
    empty: Postgres, start: Start, east: Provider
) -> None:
    broadcast(empty, 5)
    empty.query(
        "UPDATE people SET address = (SELECT address FROM people WHERE person = 1001) WHERE person = 1003"
    )
    node = mailer(start, empty, east.address)
    until(lambda: all_sent(empty), 5, "the others are sent")

    assert sorted(mail["to"] for mail in east.taken) == [
        f"p{n}@docomo.example" for n in (1000, 1001, 1002, 1004)
    ]
    assert "the address of person 1003 cannot be opened" in node.read_log()
    assert [row["to"] for row in exported(empty, "outbox") if row["person"] == 1003] == [None]
