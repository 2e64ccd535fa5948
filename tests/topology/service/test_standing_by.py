"""The service in a region that stands by: it is there, does nothing, and begins when its database takes writes.

Real servers: a primary that plays the writable region, and a standby of it that plays this region's copy, of which a
consensus store says what Patroni would.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.topology.service.consensus import ConsensusStore
from tests.topology.service.node import Node, until
from tests.topology.service.postgres import Postgres
from tests.topology.service.telegrams import quake
from tests.topology.service.test_feed import send, start_feed, telegrams

pytestmark = pytest.mark.takes(8)

Start = Callable[..., Node]


@pytest.fixture
def store(mortal: Postgres, standby: Postgres, tmp_path: Path) -> Iterator[ConsensusStore]:
    """This region's: it says that its only database, the standby, follows another region."""
    store = ConsensusStore(tmp_path / "consensus")
    store.until_ready()
    store.say(standby.name)
    store.say_following(following=True)
    yield store
    store.kill()


def spooled(node: Node) -> int:
    return len(list((Path(node.environment["DATA"]) / "spool").iterdir()))


@pytest.mark.parametrize("role", ["web", "feed-api", "mailer", "alerter"])
def test_it_is_healthy_and_idle(standby: Postgres, store: ConsensusStore, start: Start, role: str) -> None:
    given = {"FEED_APIS": "", "MAIL_PROVIDERS": "127.0.0.1:1", "SERVICE_URL": "https://anpi.example"}
    node = start(role, standby, CONSENSUS=store.address, **given).until_healthy()
    path = {"web": "/a/00000000000000000000000000000000", "feed-api": "/telegrams", "mailer": "/pending"}
    if role in path:
        assert node.ask("GET", path[role]).status == 503


def test_what_a_lagging_word_said_of_a_standby_is_not_believed(
    mortal: Postgres, standby: Postgres, store: ConsensusStore, start: Start
) -> None:
    """The region was writable once, and its store still has who was synchronous then."""
    store.say(standby.name, standby.name)
    store.say_following(following=True)
    web = start("web", standby, CONSENSUS=store.address).until_healthy()
    assert web.ask("GET", "/a/00000000000000000000000000000000").status == 503


def test_telegrams_wait_until_the_copy_has_them_or_the_region_writes(
    mortal: Postgres, standby: Postgres, store: ConsensusStore, start: Start
) -> None:
    _, there_port = start_feed(start, mortal)
    here, here_port = start_feed(start, standby, CONSENSUS=store.address)
    both, only_here = (quake(f"2026031114460{number}", {"350": "6+"}) for number in (1, 2))

    send(there_port, both)
    send(here_port, both)
    until(lambda: spooled(here) == 0, 10, "the copy has it, and the spool lets go of it")
    send(here_port, only_here)
    api = start("feed-api", mortal).until_healthy()
    assert [row["event"] for row in telegrams(api)] == ["20260311144601"]
    assert spooled(here) == 1

    standby.promote()
    store.say_following(following=False)
    until(lambda: spooled(here) == 0, 15, "it stores what is not there yet")
    api = start("feed-api", standby).until_healthy()
    assert [row["event"] for row in telegrams(api)] == ["20260311144601", "20260311144602"]
