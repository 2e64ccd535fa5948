"""The backup node when the primary is another one all of a sudden, or has no longer what comes next."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.topology.platform.backup.backup_node import BackupNode, notes, now, switch_segments, write
from tests.topology.service.node import until
from tests.topology.service.postgres import Postgres

pytestmark = pytest.mark.takes(35)

Start = Callable[..., BackupNode]


def test_the_log_goes_on_with_the_next_primary(primary: Postgres, backup: Start, tmp_path: Path) -> None:
    standby = primary.standby(tmp_path / "standby", "127.0.0.2")
    try:
        node = backup(primary, standby)
        write(primary, 1)
        until(lambda: standby.query("SELECT * FROM notes") != [], 10, "the standby has it")
        primary.kill()
        standby.promote()
        write(standby, 2)
        node.await_all_until(now(standby))
        told = node.told()
        assert told["log"]["last"].startswith("00000002")
        assert told["log"]["holes"] == []
        assert told["reached"]["source"] == f"127.0.0.1:{standby.port}"
        assert notes(node, tmp_path / "restored") == [1, 2]
        assert all(each["restorable"] for each in node.verify())
    finally:
        standby.kill()


def test_a_primary_that_goes_without_a_word_is_left_for_the_next(
    primary: Postgres, backup: Start, tmp_path: Path
) -> None:
    """Nobody says that it is over, and most places are dead lines: what a backup sees of a region that is lost."""
    standby = primary.standby(tmp_path / "standby", "127.0.0.2")
    try:
        with dead_line() as first, dead_line() as second, dead_line() as third:
            node = backup(
                standby, PRIMARIES=",".join([first, primary.address, second, third, standby.address])
            )
            write(primary, 1)
            until(lambda: standby.query("SELECT * FROM notes") != [], 10, "the standby has it")
            node.await_all_until(now(primary))
            primary.freeze()
            standby.promote()
            write(standby, 2)
            between = now(standby)
            write(standby, 3)
            node.await_all_until(now(standby), within_s=12)  # three to notice that the primary is silent
            told = node.told()
        assert told["log"]["last"].startswith("00000002")
        assert told["log"]["holes"] == []
        assert notes(node, tmp_path / "between", "--at", between.isoformat()) == [1, 2]
    finally:
        standby.kill()


@contextmanager
def dead_line() -> Iterator[str]:
    """An address where connections are taken and nothing is ever said."""
    with socket.create_server(("127.0.0.1", 0)) as line:
        yield f"127.0.0.1:{line.getsockname()[1]}"


def test_a_primary_that_lacks_what_the_archive_has_is_followed(
    primary: Postgres, backup: Start, tmp_path: Path
) -> None:
    """An asynchronous standby takes over; the archive is ahead of it by more than a segment."""
    standby = primary.standby(tmp_path / "standby", "127.0.0.2")
    try:
        node = backup(primary, standby)
        write(primary, 1)
        until(lambda: standby.query("SELECT * FROM notes") != [], 10, "the standby has it")
        standby.kill()
        switch_segments(primary, 2)
        write(primary, 2)
        node.await_all_until(now(primary))
        primary.kill()
        standby.start()
        standby.promote()
        write(standby, 3)
        node.await_all_until(now(standby))
        assert node.told()["log"]["holes"] == []
        assert notes(node, tmp_path / "restored") == [1, 3]
        assert all(each["restorable"] for each in node.verify())
    finally:
        standby.kill()


def test_a_gap_that_cannot_be_filled_is_told_and_a_new_generation_made(
    primary: Postgres, backup: Start
) -> None:
    node = backup(primary)
    write(primary, 1)
    node.await_all_until(now(primary))
    node.node.kill()
    primary.query("ALTER SYSTEM SET wal_keep_size = 0")
    primary.query("SELECT pg_reload_conf()")
    switch_segments(primary, 3)
    primary.query("CHECKPOINT")  # the primary keeps no log for those who are away
    node.start()
    node.await_generations(2)
    write(primary, 2)
    node.await_all_until(now(primary))
    assert node.told()["log"]["holes"] != []
    newest, oldest = node.verify()
    assert newest["restorable"], newest
    assert not oldest["restorable"]
