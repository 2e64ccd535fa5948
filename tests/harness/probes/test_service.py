"""The load and the probes against the service itself: its web, its feed API, its database, its enrolment."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from harness.load.access import Access, Entrance
from harness.load.config import LoadConfig
from harness.probes.config import Login, ProbeConfig
from harness.probes.door import Door
from harness.rundir import history
from harness.rundir.history import DATABASE_SCHEMA
from tests.harness.load.world import Running, World, until
from tests.topology.service.conftest import settings
from tests.topology.service.node import Node, run
from tests.topology.service.postgres import Postgres

pytestmark = pytest.mark.takes(12)

PEOPLE = 60


@dataclass
class Service:
    """One web node behind both entrances, one feed API; everyone's link is open from the start."""

    load: LoadConfig
    probes: ProbeConfig
    tokens: Mapping[int, str]
    database: Postgres


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    server = Postgres.create(tmp_path_factory.mktemp("service") / "data")
    asyncio.run(_make_observer(server.port))
    yield server
    server.stop()


async def _make_observer(port: int) -> None:
    connection = await asyncpg.connect(host="127.0.0.1", port=port, user="postgres", database="postgres")
    await connection.execute("CREATE DATABASE observer OWNER anpi")
    await connection.close()


@pytest.fixture
def service(database: Postgres, world: World, tmp_path: Path) -> Iterator[Service]:
    (tmp_path / "history").mkdir()
    (tmp_path / "probes").mkdir()
    with ExitStack() as stack:
        nodes = {}
        for role in ("web", "feed-api"):
            nodes[role] = Node(role, settings(database), tmp_path / f"{role}.log").start()
            stack.callback(nodes[role].kill)
        doors = tuple(Entrance(name, "127.0.0.1", nodes["web"].port, 1) for name in ("a", "b"))
        access = Access("docomo", 1.0, doors, world.access.mail)
        load = LoadConfig(
            seed=5,
            clock=15_000.0,
            curve="everyone-2019",
            companies=3,
            people=PEOPLE,
            areas=("350",),
            access=(access,),
            history=tmp_path / "history",
            tls=0.0,
            pause_s=(0.2, 0.4),
            live_every_s=0.1,
        )
        population = load.population()
        enrolled = run(
            "enrol",
            settings(database),
            stdin=population.jsonl().replace('"standing": false', '"standing": true'),
        )
        assert enrolled.returncode == 0, enrolled.stderr
        tokens = {row["person"]: row["token"] for row in map(json.loads, enrolled.stdout.splitlines())}
        company = population.probe_company
        probes = ProbeConfig(
            folder=tmp_path,
            access=(access,),
            people={
                "docomo": tuple((person.number, tokens[person.number]) for person in population.probe_people)
            },
            login=Login(company.number, company.admin, company.password),
            feed_apis=(Door("feed-api-a", "127.0.0.1", nodes["feed-api"].port),),
            mail_providers=(Door("mail-provider-east", *world.access.mail),),
            databases=(Door("database-a", "127.0.0.1", database.port),),
            database_password="",
            consensus=(),
            regions={"database-a": "singapore"},
            live_every_s=0.1,
        )
        for node in nodes.values():
            node.until_healthy()
        yield Service(load, probes, tokens, database)


def test_everyone_is_served_and_what_was_acknowledged_is_there(
    service: Service, world: World, tmp_path: Path, run_program: Callable[[str, Path], Running]
) -> None:
    (tmp_path / "load.json").write_text(service.load.to_json())
    (tmp_path / "probes.json").write_text(service.probes.to_json())
    probes = run_program("harness.probes", tmp_path / "probes.json")
    load = run_program("harness.load", tmp_path / "load.json")
    people = service.load.population().people
    world.mail_to({person.address: service.tokens[person.number] for person in people})
    until(lambda: bool(load.lines) and load.lines[-1]["answered"] >= PEOPLE, 15, "everyone's answer")
    until(lambda: all(all(row.values()) for row in probes.lines[-1]["green"].values()), 10, "all green")
    load.terminate()
    probes.terminate()

    answers = history.read(tmp_path / "history").to_pandas().query("kind == 'answer' and outcome == 'ok'")
    writes = history.read(tmp_path / "probes").to_pandas().query("kind == 'write' and outcome == 'ok'")
    acknowledged = {**answers.groupby("key").value.max(), **writes.groupby("key").value.max()}
    exported = run("export", settings(service.database), "answers")
    kept = {row["person"]: int(row["comment"] or 0) for row in map(json.loads, exported.stdout.splitlines())}
    # A write that was under way when the probes were told to stop may have been kept, too.
    assert {
        person: kept[person] - value for person, value in acknowledged.items() if kept[person] < value
    } == {}
    assert set(answers.key) <= {person.number for person in people}
    seen = history.read(tmp_path / "databases.arrow", DATABASE_SCHEMA).to_pandas()
    assert set(seen.role) == {"primary"}
    assert set(seen.timeline) == {1}
    assert seen.wrote.mean() > 0.5
