"""What a database that was shut down says of the end of its log, beside PostgreSQL's own word on it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from harness.runbook.control_file import read
from tests.topology.service.postgres import PROGRAMS, Postgres


@pytest.fixture
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    server = Postgres.create(tmp_path_factory.mktemp("postgres") / "data")
    yield server
    server.kill()


def content(postgres: Postgres) -> bytes:
    return (postgres.data / "global" / "pg_control").read_bytes()


def told(postgres: Postgres, what: str) -> str:
    said = subprocess.run([PROGRAMS / "pg_controldata", "-D", postgres.data], capture_output=True, text=True)
    return next(line.partition(":")[2].strip() for line in said.stdout.splitlines() if line.startswith(what))


def test_a_primary_that_ended_in_order_tells_where_its_log_ends(postgres: Postgres) -> None:
    assert read(content(postgres)) is None  # it runs
    postgres.stop()
    high, low = told(postgres, "Latest checkpoint location").split("/")
    assert read(content(postgres)) == int(high, 16) << 32 | int(low, 16)


def test_one_that_died_tells_nothing(postgres: Postgres) -> None:
    postgres.kill()
    assert read(content(postgres)) is None


def test_what_is_no_control_file_tells_nothing() -> None:
    assert read(b"") is None
    assert read(bytes(16)) is None
