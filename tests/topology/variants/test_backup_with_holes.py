"""The archive that loses a part of the log: all looks well, until somebody restores."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.topology.platform.backup.backup_node import BackupNode, now
from tests.topology.service.postgres import Postgres

pytestmark = pytest.mark.takes(10)


@pytest.fixture
def primary(tmp_path: Path) -> Iterator[Postgres]:
    server = Postgres.create(tmp_path / "primary")
    server.query("CREATE ROLE replicator LOGIN REPLICATION")
    server.query("ALTER SYSTEM SET wal_keep_size = '256MB'")
    server.query("SELECT pg_reload_conf()")
    yield server
    server.kill()


@pytest.mark.parametrize(
    ("program", "sound"), [("backup", True), ("topology.variants.backup_with_holes", False)]
)
def test_only_who_restores_finds_the_hole(
    primary: Postgres, tmp_path: Path, program: str, sound: bool
) -> None:
    node = BackupNode(tmp_path / "backup", primary, program=program).start()
    try:
        for _ in range(4):
            primary.query("SELECT pg_logical_emit_message(false, 'filler', 'x')")
            primary.query("SELECT pg_switch_wal()")
        node.await_all_until(now(primary))
        assert node.node.healthy()
        assert node.told()["receiving"]
        (verified,) = node.verify()
        assert verified["restorable"] is sound, verified
        assert ("there is a hole in it" in verified["why"]) is not sound
    finally:
        node.node.kill()
