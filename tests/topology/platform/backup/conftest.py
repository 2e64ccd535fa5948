"""A real PostgreSQL, and backup nodes that follow it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.topology.platform.backup.backup_node import BackupNode
from tests.topology.service.postgres import Postgres


@pytest.fixture(scope="session")
def ancestor(tmp_path_factory: pytest.TempPathFactory) -> Postgres:
    """A cluster with a role for replication and one table, stopped; tests have copies of it."""
    server = Postgres.create(tmp_path_factory.mktemp("ancestor") / "data", "--wal-segsize=4")
    server.query("CREATE ROLE replicator LOGIN REPLICATION")
    server.query("CREATE TABLE notes (number int PRIMARY KEY, note text)")
    server.query("ALTER SYSTEM SET wal_keep_size = '256MB'")
    server.stop()
    return server


@pytest.fixture
def primary(ancestor: Postgres, tmp_path: Path) -> Iterator[Postgres]:
    server = ancestor.copy(tmp_path / "primary")
    server.start()
    yield server
    server.kill()


@pytest.fixture
def backup(tmp_path: Path) -> Iterator[Callable[..., BackupNode]]:
    """Starts backup nodes of servers, and kills what is left of them."""
    started: list[BackupNode] = []

    def start(*servers: Postgres, **environment: str) -> BackupNode:
        folder = tmp_path / f"backup-{len(started)}"
        started.append(BackupNode(folder, *servers, **environment))
        return started[-1].start()

    yield start
    for each in started:
        each.node.kill()


@pytest.fixture(scope="module")
def lasting(ancestor: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """One server for all tests of a module that do nothing to it but write."""
    server = ancestor.copy(tmp_path_factory.mktemp("lasting") / "primary")
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="module")
def follower(lasting: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BackupNode]:
    """Its backup node, for tests that leave it as it was: with one generation."""
    node = BackupNode(tmp_path_factory.mktemp("follower"), lasting, NODE="backup-v").start()
    yield node
    node.node.kill()


@pytest.fixture
def empty(lasting: Postgres) -> Postgres:
    """The module's server, its table empty."""
    lasting.query("TRUNCATE notes")
    return lasting
