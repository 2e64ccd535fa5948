"""From a telegram to exactly one broadcast for each company that it concerns, whatever fails in between."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import pytest

from tests.topology.service.conftest import customers, enrolled, exported, settings
from tests.topology.service.node import Node, until
from tests.topology.service.postgres import Postgres, free_port
from tests.topology.service.telegrams import quake, tsunami
from tests.topology.service.test_feed import send
from topology.service.database import Database
from topology.service.ledger import Ledger
from topology.service.settings import Settings

pytestmark = pytest.mark.takes(25)

#: Ten minutes of hold in one second.
SCALE = 600
HOLD_NS = 10**9
TOKYO, OSAKA, COAST, STANDING = 1, 2, 3, 4


def passed(moment_s: float) -> bool:
    return time.monotonic() > moment_s


@dataclass
class Pipeline:
    """Both receivers, both APIs and both alerters, on a database of their own, with some companies."""

    postgres: Postgres
    ftp: tuple[int, int]
    alerters: list[Node]

    def publish(self, *bodies: bytes) -> None:
        """To both receivers, as the agency does."""
        for port in self.ftp:
            send(port, *bodies)

    def told(self, event: str) -> list[int]:
        rows = self.postgres.query("SELECT company FROM broadcasts WHERE event = $1 ORDER BY company", event)
        return [row["company"] for row in rows]

    def until_told(self, event: str, *companies: int) -> None:
        until(lambda: self.told(event) == list(companies), 8, f"{event} told to {companies}", self.log)

    def until_taken_in(self, event: str, telegrams: int) -> None:
        counting = "SELECT count(*) AS n FROM reports WHERE event = $1"
        until(
            lambda: self.postgres.query(counting, event)[0]["n"] == telegrams,
            5,
            f"{event} taken in",
            self.log,
        )

    def log(self) -> str:
        return "".join(node.read_log() for node in self.alerters)


@pytest.fixture(scope="module")
def pipeline(pristine: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    folder = tmp_path_factory.mktemp("pipeline")
    postgres = pristine.copy(folder / "data")
    postgres.start()
    enrolled(postgres, customers(TOKYO, 5, areas=["350"], tsunami=False, standing=False))
    enrolled(postgres, customers(OSAKA, 5, areas=["520"], least="6-", tsunami=False, standing=False))
    enrolled(postgres, customers(STANDING, 2, least="1", standing=True))
    enrolled(postgres, customers(COAST, 600, areas=["999"], tsunami=True, standing=False))
    ftp = (free_port(), free_port())
    nodes: list[Node] = []

    def start(role: str, **given: str) -> Node:
        name = f"{role}-{len(nodes)}"
        environment = {
            **settings(postgres),
            "NODE": name,
            "DATA": str(folder / name),
            "CLOCK_SCALE": str(SCALE),
        }
        nodes.append(Node(role, {**environment, **given}, folder / f"{name}.log").start())
        return nodes[-1]

    feeds = [start("feed", FTP_PORT=str(port)) for port in ftp]
    apis = [start("feed-api") for _ in ftp]
    where = ",".join(f"127.0.0.1:{api.port}" for api in apis)
    alerters = [start("alerter", FEED_APIS=where) for _ in ftp]
    for node in (*feeds, *apis, *alerters):
        node.until_healthy()
    yield Pipeline(postgres, ftp, alerters)
    for node in nodes:
        node.kill()
    postgres.kill()


def test_each_company_concerned_is_told_once_after_the_hold(pipeline: Pipeline) -> None:
    event = "20260311000001"
    pipeline.publish(quake(event, {"350": "7", "520": "5+"}))

    pipeline.until_told(event, TOKYO)

    (known,) = [row for row in exported(pipeline.postgres, "events") if row["event"] == event]
    assert known["due_at_ns"] == int(str(known["received_at_ns"])) + HOLD_NS
    assert int(str(known["broadcast_at_ns"])) >= int(str(known["due_at_ns"]))
    mails = [row for row in exported(pipeline.postgres, "outbox") if row["event"] == event]
    assert {(row["person"], row["to"]) for row in mails} == {
        (n, f"p{n}@docomo.example") for n in range(1000, 1005)
    }
    assert {row["sent_at_ns"] for row in mails} == {None}


def test_a_false_alarm_and_a_training_tell_nobody(pipeline: Pipeline) -> None:
    cancelled, early, training, test, real = (f"2026031100001{i}" for i in range(5))
    pipeline.publish(
        quake(cancelled, {"350": "7"}, at="2026-03-11T14:48:00+09:00"),
        quake(early, info="取消", at="2026-03-11T14:50:00+09:00"),
        quake(training, {"350": "7"}, status="訓練"),
        quake(test, {"350": "7"}, status="試験"),
        quake(cancelled, info="取消", at="2026-03-11T14:50:00+09:00"),
        quake(early, {"350": "7"}, at="2026-03-11T14:48:00+09:00"),  # the cancellation overtook it
        quake(real, {"350": "7"}),
    )

    pipeline.until_told(real, TOKYO)

    assert [pipeline.told(event) for event in (cancelled, early, training, test)] == [[], [], [], []]
    events = {row["event"]: row for row in exported(pipeline.postgres, "events")}
    assert [events[event]["cancelled"] for event in (cancelled, early, training)] == [True, True, False]
    assert events[training]["due_at_ns"] is None


def test_companies_that_later_telegrams_concern_are_told_then_and_the_others_not_again(
    pipeline: Pipeline,
) -> None:
    event = "20260311000021"
    pipeline.publish(quake(event, {"350": "5-"}, at="2026-03-11T14:48:00+09:00"))
    pipeline.until_told(event, TOKYO)

    pipeline.publish(
        quake(event, {"520": "7"}, kind="VXSE53", serial="2", at="2026-03-11T14:56:00+09:00"),
        quake(event, {"350": "6+"}, kind="VXSE53", serial="1", at="2026-03-11T14:54:00+09:00"),
    )
    pipeline.until_told(event, TOKYO, OSAKA)
    pipeline.publish(tsunami(event, "52"))

    pipeline.until_told(event, TOKYO, OSAKA, COAST)


def test_a_tsunami_warning_that_is_lifted_within_the_hold_tells_nobody(pipeline: Pipeline) -> None:
    lifted, fence = "20260311000031", "20260311000032"
    pipeline.publish(
        tsunami(lifted, "50", at="2026-03-11T15:10:00+09:00"),
        tsunami(lifted, "51", at="2026-03-11T14:49:00+09:00"),
        quake(fence, {"350": "7"}),
    )

    pipeline.until_told(fence, TOKYO)

    assert pipeline.told(lifted) == []


def test_large_companies_have_their_mails_in_batches(pipeline: Pipeline) -> None:
    event = "20260311000041"
    pipeline.publish(tsunami(event, "51"))
    pipeline.until_told(event, COAST)

    batches = pipeline.postgres.query(
        "SELECT (SELECT count(*) FROM answers a WHERE a.broadcast = b.broadcast AND person BETWEEN first AND last) AS n"
        " FROM batches b JOIN broadcasts USING (broadcast) WHERE event = $1 ORDER BY first",
        event,
    )
    assert [row["n"] for row in batches] == [250, 250, 100]


def test_alerters_that_die_at_any_moment_leave_one_broadcast(pipeline: Pipeline) -> None:
    """Both are killed, over and over, around the moment when the hold ends."""
    events = [f"202603110001{i:02d}" for i in range(20)]
    pipeline.publish(*[quake(event, {"350": "7"}) for event in events])
    moments = random.Random(1)
    for _ in range(4):
        for alerter in pipeline.alerters:
            moment_s = time.monotonic() + moments.uniform(0, 0.5)
            until(partial(passed, moment_s), 1, "its moment has come")
            alerter.kill()
            alerter.start()
    for event in events:
        pipeline.until_told(event, TOKYO)


def test_a_database_that_dies_when_the_hold_ends_leaves_one_broadcast(pipeline: Pipeline) -> None:
    event = "20260311000201"
    pipeline.publish(quake(event, {"350": "7"}))
    pipeline.until_taken_in(event, 1)

    pipeline.postgres.kill()
    pipeline.postgres.start()

    pipeline.until_told(event, TOKYO)


def test_of_many_who_tell_at_once_one_does(empty: Postgres) -> None:
    enrolled(empty, [line for company in (1, 2, 3) for line in customers(company, 40, standing=False)])

    async def race() -> list[int]:
        async with Database(Settings.from_environment(settings(empty)), connections=8) as database:
            await database.wait_writable(5)
            ledger = Ledger(database, HOLD_NS)
            tellings = await asyncio.gather(*(ledger.tell("1", [1, 2, 3]) for _ in range(8)))
        return sorted(len(told) for told in tellings)

    assert asyncio.run(race()) == [0, 0, 0, 0, 0, 0, 0, 3]
    assert len(exported(empty, "broadcasts")) == 3
    assert len(exported(empty, "outbox")) == 120


def test_without_a_feed_the_alarm_leaves_all_the_same_only_later(
    empty: Postgres, start: Callable[..., Node]
) -> None:
    """It was taken in before; that no cancellation came cannot be known for sure, and waiting on would be worse."""
    enrolled(empty, customers(1, 2, standing=False))
    ftp = free_port()
    start("feed", empty, FTP_PORT=str(ftp)).until_healthy()
    api = start("feed-api", empty).until_healthy()
    alerter = start("alerter", empty, FEED_APIS=f"127.0.0.1:{api.port}", CLOCK_SCALE="300").until_healthy()
    send(ftp, quake("1", {"350": "7"}))
    until(lambda: bool(empty.query("SELECT 1 FROM events")), 5, "it is taken in", alerter.read_log)

    api.kill()

    until(lambda: bool(empty.query("SELECT 1 FROM broadcasts")), 9, "the broadcast leaves", alerter.read_log)
    row = empty.query("SELECT broadcast_at_ns - due_at_ns AS late FROM events")[0]
    assert row["late"] >= 0.2e9
