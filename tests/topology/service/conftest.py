from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from pathlib import Path

import pytest

from tests.topology.service.node import KEY, Node
from tests.topology.service.postgres import PASSWORD, Postgres
from topology.service.addresses import AddressBook
from topology.service.database import Database
from topology.service.enrol import enrol
from topology.service.enrolment import read_lines
from topology.service.export import export
from topology.service.settings import Settings

TABLES = "reports, events, telegrams, refused, answers, batches, broadcasts, admins, people, companies"
_companies = count(1)


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Postgres:
    """A cluster with the service's tables and nothing in them, stopped; others are made as copies of it."""
    server = Postgres.create(tmp_path_factory.mktemp("pristine") / "data")
    enrolled(server, [])
    server.stop()
    return server


@pytest.fixture(scope="session")
def postgres(pristine: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """The server that most tests share."""
    server = pristine.copy(tmp_path_factory.mktemp("shared") / "data")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def mortal(pristine: Postgres, tmp_path: Path) -> Iterator[Postgres]:
    """A server that a test may kill."""
    server = pristine.copy(tmp_path / "mortal")
    server.start()
    yield server
    server.kill()


@pytest.fixture
def standby(mortal: Postgres, tmp_path: Path) -> Iterator[Postgres]:
    """A synchronous standby of the mortal server."""
    server = mortal.standby(tmp_path / "standby", "127.0.0.2")
    mortal.query("ALTER SYSTEM SET synchronous_standby_names = '\"127.0.0.2\"'")
    mortal.query("SELECT pg_reload_conf()")
    yield server
    server.kill()


@pytest.fixture
def empty(postgres: Postgres) -> Postgres:
    """The shared server, with nothing in its tables."""
    postgres.query(f"TRUNCATE {TABLES} RESTART IDENTITY CASCADE")
    return postgres


@pytest.fixture(scope="session")
def web(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    node = Node("web", settings(postgres), tmp_path_factory.mktemp("web") / "log").start().until_healthy()
    yield node
    assert node.stop() == 0


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Node]]:
    """Starts nodes of the service, and kills what is left of them."""
    nodes: list[Node] = []

    def start_node(program: str, *databases: Postgres, **environment: str) -> Node:
        name = f"{program.rpartition('.')[2]}-{len(nodes)}"
        given = {**settings(*databases), "NODE": name, "DATA": str(tmp_path / name), **environment}
        nodes.append(Node(program, given, tmp_path / f"{name}.log").start())
        return nodes[-1]

    yield start_node
    for node in nodes:
        node.kill()


@pytest.fixture
def company(postgres: Postgres) -> Callable[..., tuple[int, dict[int, str]]]:
    """Enrols a company with some people into the shared server; gives its number and the tokens by person."""

    def enrol(people: int = 1, **given: object) -> tuple[int, dict[int, str]]:
        number = next(_companies)
        return number, enrolled(postgres, customers(number, people, **given))

    return enrol


def settings(*databases: Postgres) -> dict[str, str]:
    return {
        "NODE": "test",
        "DATABASES": ",".join(database.address for database in databases),
        "CONSENSUS": "",
        "DATABASE_PASSWORD": PASSWORD,
        "ADDRESS_KEY": KEY,
        "SESSION_KEY": "test-only",
        "ARGON2_MEMORY_KIB": "64",
        "ARGON2_TIME": "1",
    }


def customers(number: int, people: int, **given: object) -> list[Mapping[str, object]]:
    """Lines for enrolment. People's numbers are 1000 times the company's and up."""
    company = {
        "company": number,
        "name": f"Company {number}",
        "admin": "admin",
        "password": f"secret-{number}",
        "areas": [],
        "least": "5-",
        "tsunami": True,
        "special": True,
        "standing": True,
        **given,
    }
    crowd = [
        {
            "person": number * 1000 + i,
            "company": number,
            "name": f"Person {i} of {number}",
            "area": "350",
            "carrier": "docomo",
            "address": f"p{number * 1000 + i}@docomo.example",
        }
        for i in range(people)
    ]
    return [company, *crowd]


def enrolled(server: Postgres, lines: list[Mapping[str, object]]) -> dict[int, str]:
    """The tokens of standing broadcasts, by person."""
    given = Settings.from_environment(settings(server))
    companies, people = read_lines(map(json.dumps, lines))

    async def enrol_all() -> str:
        async with Database(given, connections=1, statement_s=30) as database:
            return await enrol(database, given, companies, people)

    return {row["person"]: row["token"] for row in map(json.loads, asyncio.run(enrol_all()).splitlines())}


def exported(server: Postgres, what: str) -> list[dict[str, object]]:
    async def export_all() -> list[str]:
        async with Database(Settings.from_environment(settings(server)), connections=1) as database:
            await database.wait_writable(10)
            return await export(database, AddressBook(KEY), what)

    return [json.loads(line) for line in asyncio.run(export_all())]
