"""The service and its database while the database dies, hangs, comes back or moves.

Real servers: a primary, a synchronous standby, and a consensus store in which the test says what Patroni would.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.topology.service.conftest import customers, enrolled, settings
from tests.topology.service.consensus import ConsensusStore
from tests.topology.service.node import Node, Reply, until
from tests.topology.service.postgres import Postgres
from tests.topology.service.test_answers import SAFE, current, version
from topology.service.consensus import Consensus, View
from topology.service.database import Database
from topology.service.settings import Settings
from topology.service.web import HELD_S

pytestmark = pytest.mark.takes(30)

Start = Callable[..., Node]
#: Nobody waits longer for a page that says "not now".
PATIENCE_S = 3.0


@pytest.fixture
def store(mortal: Postgres, standby: Postgres, tmp_path: Path) -> Iterator[ConsensusStore]:
    """Says that the mortal server leads, and that its standby has everything."""
    store = ConsensusStore(tmp_path / "consensus")
    store.until_ready()
    store.say(mortal.name, standby.name)
    yield store
    store.kill()


def answers(web: Node, token: str, comment: str = "1") -> int:
    """The status of an answer that is sent now, whatever it replaces; 0 if the node gives none."""
    form = {**SAFE, "comment": comment}
    reply = web.ask("POST", f"/a/{token}", form)
    if reply.status == 409:
        reply = web.ask("POST", f"/a/{token}", {**form, "version": version(reply)})
    return reply.status


def look(web: Node, token: str) -> Reply:
    return web.ask("GET", f"/a/{token}")


def timed(act: Callable[[], object]) -> float:
    began_s = time.monotonic()
    act()
    return time.monotonic() - began_s


def token_in(server: Postgres) -> str:
    return next(iter(enrolled(server, customers(1, 1)).values()))


def test_without_a_database_the_page_says_so_and_with_it_goes_on(mortal: Postgres, start: Start) -> None:
    token = token_in(mortal)
    web = start("web", mortal).until_healthy()
    assert answers(web, token) == 200

    mortal.kill()

    reply = web.ask("POST", f"/a/{token}", SAFE)
    assert (reply.status, reply.headers["retry-after"]) == (503, "1")
    assert "回答は保存されていません" in reply.text
    assert look(web, token).status == 503
    until(lambda: not web.healthy(), 3, "the node says that it cannot do its job")

    mortal.start()
    until(lambda: answers(web, token, "2") == 200, 3, "answers are taken again")
    assert current(look(web, token))["comment"] == "2"


def test_a_database_that_vanishes_without_a_word_keeps_nobody_waiting(mortal: Postgres, start: Start) -> None:
    token = token_in(mortal)
    web = start("web", mortal).until_healthy()
    assert answers(web, token) == 200

    mortal.freeze()
    with ThreadPoolExecutor(20) as crowd:
        seconds = list(crowd.map(lambda _: timed(lambda: answers(web, token)), range(20)))
    assert max(seconds) < PATIENCE_S
    until(lambda: look(web, token).status == 503, 2, "the server is taken for gone")
    assert timed(lambda: answers(web, token)) < HELD_S + 0.2

    mortal.thaw()
    until(lambda: answers(web, token, "2") == 200, 3, "answers are taken again")


def test_a_standby_is_read_only_while_it_is_known_to_lack_nothing(
    mortal: Postgres, standby: Postgres, store: ConsensusStore, start: Start
) -> None:
    token = token_in(mortal)
    web = start("web", mortal, standby, CONSENSUS=store.address).until_healthy()
    assert answers(web, token, "7") == 200

    mortal.kill()
    until(lambda: look(web, token).status == 200, 3, "the standby is read")
    assert current(look(web, token))["comment"] == "7"
    assert web.healthy()
    assert answers(web, token, "8") == 503

    store.say(mortal.name)
    until(lambda: look(web, token).status == 503, 3, "a standby that may lack something is not read")

    store.say(mortal.name, standby.name)
    until(lambda: look(web, token).status == 200, 3, "the standby is read again")
    store.kill()
    until(
        lambda: look(web, token).status == 503, 3, "nothing is read without a word from the consensus store"
    )


def test_a_word_that_takes_long_to_come_does_not_make_the_one_before_it_too_old(standby: Postgres) -> None:
    class Busy(Consensus):
        async def view(self) -> View:
            asked_s = asyncio.get_running_loop().time()
            await asyncio.sleep(0.5)
            return View(None, frozenset({standby.name}), asked_s)

    async def readable_for(seconds: float) -> list[bool]:
        given = Settings.from_environment({**settings(standby), "NODE": "web"})
        database = Database(given)
        database._consensus = Busy((given.databases[0],))
        async with database, asyncio.timeout(seconds + 5):
            while not database.readable:
                await asyncio.sleep(0.02)
            seen = []
            for _ in range(int(seconds / 0.02)):
                await asyncio.sleep(0.02)
                seen.append(database.readable)
            return seen

    seen = asyncio.run(readable_for(3))
    assert sum(seen) / len(seen) > 0.9  # the rest is for a machine that has other things to do


def test_the_new_primary_is_used_as_soon_as_it_leads(
    mortal: Postgres, standby: Postgres, store: ConsensusStore, start: Start
) -> None:
    token = token_in(mortal)
    web = start("web", mortal, standby, CONSENSUS=store.address).until_healthy()
    assert answers(web, token, "1") == 200

    mortal.kill()
    standby.promote()
    assert answers(web, token, "2") == 503

    store.say(standby.name)
    until(lambda: answers(web, token, "3") == 200, 3, "answers are taken again")
    assert current(look(web, token))["comment"] == "3"


def test_a_primary_that_slept_through_a_failover_is_not_believed(
    mortal: Postgres, standby: Postgres, store: ConsensusStore, start: Start
) -> None:
    """Nor by a node that slept with it: both wake up sure that nothing has happened."""
    token = token_in(mortal)
    web = start("web", mortal, standby, CONSENSUS=store.address).until_healthy()
    assert answers(web, token, "old") == 200

    for sleeper in (web, mortal):
        sleeper.freeze()
    asleep_since_s = time.monotonic()
    standby.promote()
    store.say(standby.name)
    standby.query("UPDATE answers SET comment = 'new'")
    until(lambda: time.monotonic() - asleep_since_s > PATIENCE_S, 5, "they slept long enough")
    for sleeper in (mortal, web):
        sleeper.thaw()

    seen = set()

    def settled() -> bool:
        reply = look(web, token)
        seen.add(current(reply)["comment"] if reply.status == 200 else "not now")
        return answers(web, token, "new") == 200

    until(settled, 5, "the new primary is used")
    assert "old" not in seen


def test_an_answer_that_only_one_zone_has_is_neither_acknowledged_nor_shown(
    mortal: Postgres, standby: Postgres, store: ConsensusStore, start: Start
) -> None:
    token = token_in(mortal)
    web = start("web", mortal, standby, CONSENSUS=store.address).until_healthy()
    standby.freeze()

    with ThreadPoolExecutor(12) as crowd:
        statuses = set(crowd.map(lambda n: answers(web, token, str(n)), range(12)))

    assert statuses == {503}
    assert current(look(web, token)) == {"status": ""}
    waiting = mortal.query("SELECT count(*) AS n FROM pg_stat_activity WHERE usename = 'anpi'")[0]["n"]
    assert waiting < 12, "a database that is stuck must not be stormed with connections"

    standby.thaw()
    until(lambda: answers(web, token, "after") == 200, 3, "answers are taken again")
    assert current(look(web, token))["comment"] == "after"
