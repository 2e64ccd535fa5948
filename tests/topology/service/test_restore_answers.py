"""Answers that were erased by mistake come back from a backup, and nothing newer is undone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.topology.platform.backup.backup_node import BackupNode, now
from tests.topology.service.conftest import customers, enrolled
from tests.topology.service.postgres import Postgres

pytestmark = pytest.mark.takes(25)

ANSWER = """
    UPDATE answers SET status = 'safe', come = true, comment = $2, answered_at_ns = 1, answered_at = now()
    WHERE person = $1
"""


@pytest.fixture
def backed_up(mortal: Postgres, tmp_path: Path) -> Iterator[BackupNode]:
    """A backup of the mortal server, which has two companies of three people."""
    mortal.query("CREATE ROLE replicator LOGIN REPLICATION")
    mortal.query("ALTER SYSTEM SET wal_keep_size = '256MB'")
    mortal.query("SELECT pg_reload_conf()")
    enrolled(mortal, customers(1, 3))
    enrolled(mortal, customers(2, 3))
    node = BackupNode(tmp_path / "backup", mortal)
    node.start()
    yield node
    node.node.kill()


def answer(server: Postgres, person: int, comment: str) -> None:
    server.query(ANSWER, person, comment)


def comments(server: Postgres) -> dict[int, str | None]:
    return {row["person"]: row["comment"] for row in server.query("SELECT person, comment FROM answers")}


def restored(node: BackupNode, *args: str) -> dict[str, object]:
    done = node.run("restore-answers", *args)
    assert done.returncode == 0, done.stderr
    report: dict[str, object] = json.loads(done.stdout)
    return report


def test_what_an_operator_deleted_comes_back_up_to_the_last_commit(
    mortal: Postgres, backed_up: BackupNode
) -> None:
    for person in (1000, 1001, 2000):
        answer(mortal, person, "before")
    answer(mortal, 1001, "the last word")
    mortal.query("DELETE FROM answers WHERE company = 1")
    answer(mortal, 2001, "meanwhile")
    answer(mortal, 2000, "changed meanwhile")
    backed_up.await_all_until(now(mortal))
    report = restored(backed_up)
    assert comments(mortal) == {
        1000: "before",
        1001: "the last word",
        1002: None,
        2000: "changed meanwhile",
        2001: "meanwhile",
        2002: None,
    }
    assert (report["rows"], report["answers"]) == (3, 2)
    assert report["table_made_anew"] is False
    assert isinstance(report["seconds"], float)


def test_what_was_answered_again_after_the_mistake_stays(mortal: Postgres, backed_up: BackupNode) -> None:
    answer(mortal, 1000, "old")
    (token,) = (row["token"] for row in mortal.query("SELECT token FROM answers WHERE person = 1000"))
    mortal.query("DELETE FROM answers WHERE company = 1")
    mortal.query(
        "INSERT INTO answers (token, broadcast, company, person, status, come, comment) "
        "SELECT $1, broadcast, 1, 1000, 'help', false, 'new' FROM broadcasts WHERE company = 1",
        token,
    )
    backed_up.await_all_until(now(mortal))
    assert restored(backed_up)["rows"] == 2
    assert comments(mortal)[1000] == "new"


def test_a_table_that_was_dropped_is_made_anew(mortal: Postgres, backed_up: BackupNode) -> None:
    answer(mortal, 1000, "kept")
    mortal.query("DROP TABLE answers")
    backed_up.await_all_until(now(mortal))
    report = restored(backed_up)
    assert report["table_made_anew"] is True
    assert comments(mortal)[1000] == "kept"
    assert len(comments(mortal)) == 6


def test_a_second_mistake_is_told_from_the_first(mortal: Postgres, backed_up: BackupNode) -> None:
    mortal.query("DELETE FROM answers WHERE company = 1")
    backed_up.await_all_until(now(mortal))
    assert restored(backed_up)["rows"] == 3
    answer(mortal, 2000, "after the first")
    mortal.query("DELETE FROM answers WHERE company = 2")
    backed_up.await_all_until(now(mortal))
    assert restored(backed_up)["rows"] == 3
    assert comments(mortal)[2000] == "after the first"


def test_to_an_instant_that_is_named(mortal: Postgres, backed_up: BackupNode) -> None:
    answer(mortal, 1000, "then")
    then = now(mortal)
    answer(mortal, 1000, "later")
    mortal.query("DELETE FROM answers WHERE company = 1")
    backed_up.await_all_until(now(mortal))
    restored(backed_up, "--before", then.isoformat())
    assert comments(mortal)[1000] == "then"


def test_without_a_mistake_there_is_nothing_to_undo(mortal: Postgres, backed_up: BackupNode) -> None:
    answer(mortal, 1000, "kept")
    backed_up.await_all_until(now(mortal))
    done = backed_up.run("restore-answers")
    assert done.returncode == 2
    assert "nobody deleted answers" in done.stderr
    assert comments(mortal)[1000] == "kept"


def test_an_instant_that_cannot_be_restored_is_refused_and_one_that_has_still_to_come_in_is_not(
    mortal: Postgres, backed_up: BackupNode
) -> None:
    answer(mortal, 1000, "kept")
    backed_up.await_all_until(now(mortal))
    backed_up.await_generations(1)
    early = backed_up.run("restore-answers", "--before", "2020-01-01T00:00:00+09:00")
    assert early.returncode == 2
    assert "is before the end of the oldest generation" in early.stderr
    future = backed_up.run("restore-answers", "--before", "2999-01-01T00:00:00+09:00")
    assert future.returncode == 2
    assert "is after the newest restorable instant" in future.stderr
    backed_up.node.kill()
    not_yet = backed_up.run("restore-answers", "--before", now(mortal).isoformat())
    assert not_yet.returncode == 3
    assert "cannot restore yet: " in not_yet.stderr
    assert comments(mortal)[1000] == "kept"
