"""The known-bad designs: each is wrong in exactly the way that its name says."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.topology.service.conftest import customers, enrolled, exported, settings
from tests.topology.service.node import Node, until
from tests.topology.service.postgres import Postgres
from tests.topology.service.provider import Provider
from tests.topology.service.test_admin import session
from tests.topology.service.test_answers import SAFE, current
from tests.topology.service.test_mailer import broadcast, east, mailer  # noqa: F401 -- a fixture among them
from topology import map as topology
from topology.service.database import Database
from topology.service.ledger import Ledger
from topology.service.report import Report
from topology.service.settings import Settings
from topology.service.telegram import Telegram
from topology.variants.alerter_broadcasts_again import ForgetfulLedger

Start = Callable[..., Node]
ROOT = Path(__file__).parents[3]
QUAKE = Telegram(
    "VXSE51", "1", "発表", "通常", datetime(2026, 3, 11, 14, 48, tzinfo=UTC), 0, {"350": "7"}, False, False
)


def test_the_web_that_acknowledges_first_keeps_the_answer_later(mortal: Postgres, start: Start) -> None:
    token = next(iter(enrolled(mortal, customers(1, 1)).values()))
    web = start("topology.variants.web_acks_before_commit", mortal).until_healthy()

    reply = web.ask("POST", f"/a/{token}", SAFE)

    assert (reply.status, current(reply)) == (200, SAFE)
    until(lambda: current(web.ask("GET", f"/a/{token}")) == SAFE, 3, "it is kept in the end")


def test_the_web_that_acknowledges_first_loses_answers_when_it_dies(mortal: Postgres, start: Start) -> None:
    token = next(iter(enrolled(mortal, customers(1, 1)).values()))
    web = start("topology.variants.web_acks_before_commit", mortal).until_healthy()

    assert web.ask("POST", f"/a/{token}", SAFE).status == 200
    web.kill()

    assert exported(mortal, "answers") == []


def test_the_mailer_that_marks_first_loses_mail_when_it_dies(
    empty: Postgres,
    start: Start,
    east: Provider,  # noqa: F811
) -> None:
    broadcast(empty, 10)
    node = mailer(start, empty, east.address, program="topology.variants.mailer_marks_before_sending")
    until(
        lambda: {row["sent_at_ns"] for row in exported(empty, "outbox")} != {None}, 5, "it is noted as sent"
    )

    node.kill()

    assert east.ids() == []


@pytest.mark.parametrize(
    ("program", "status"),
    [("web", 403), ("topology.variants.web_shows_another_company", 200)],
)
def test_only_the_careless_web_shows_another_company(
    mortal: Postgres, start: Start, program: str, status: int
) -> None:
    for company in (1, 2):
        enrolled(mortal, customers(company, 3))
    web = start(program, mortal).until_healthy()
    headers = session(web, 1)

    reply = web.ask("GET", "/admin?company=2", headers=headers)

    assert (reply.status, "Company 2" in reply.text) == (status, status == 200)
    assert "Company 1" in web.ask("GET", "/admin", headers=headers).text
    assert web.ask("GET", "/admin?company=2").status == 303


@pytest.mark.parametrize(("kind", "times"), [(Ledger, 1), (ForgetfulLedger, 2)])
def test_only_the_forgetful_alerter_tells_again_after_a_failover(
    mortal: Postgres, standby: Postgres, kind: type[Ledger], times: int
) -> None:
    enrolled(mortal, customers(1, 3, standing=False))

    async def tell_all(ledger: Ledger) -> None:
        for owed in await ledger.owed(time.monotonic_ns()):
            await ledger.tell(owed.event, list(await ledger.untold(owed.event)))
            await ledger.settle(owed)

    async def live_through_a_failover() -> None:
        async with Database(Settings.from_environment(settings(mortal, standby))) as database:
            await database.wait_writable(5)
            ledger = kind(database, hold_ns=0)
            await ledger.add([Report(1, QUAKE, 1)])
            for _ in range(3):
                await tell_all(ledger)
            mortal.kill()
            await asyncio.to_thread(standby.promote)
            while database.primary != standby.name:
                await asyncio.sleep(0.01)
            for _ in range(3):
                await tell_all(ledger)

    asyncio.run(asyncio.wait_for(live_through_a_failover(), 20))

    assert len(exported(standby, "broadcasts")) == times


@pytest.mark.parametrize(
    ("defect", "role"),
    [
        ("web-acks-before-commit", "web"),
        ("mailer-marks-before-sending", "mailer"),
        ("alerter-broadcasts-again", "alerter"),
        ("web-shows-another-company", "web"),
        ("mailer-logs-addresses", "mailer"),
    ],
)
def test_a_defect_changes_every_node_of_its_role_and_nothing_else(defect: str, role: str) -> None:
    compose = ROOT / "docker-compose.multi-region.yml"
    sound = topology.read(compose)
    changed = topology.read(compose, [ROOT / "scenarios" / "defects" / f"{defect}.yml"])

    for name, node in changed.nodes.items():
        variant = ("python", "-m", f"topology.variants.{defect.replace('-', '_')}")
        assert node.command == (variant if node.role == role else sound.nodes[name].command)
