"""The backup node against a real PostgreSQL: what it keeps, how, and that it comes back."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from tests.topology.platform.backup.backup_node import BackupNode, notes, now, switch_segments, write
from tests.topology.service.node import until
from tests.topology.service.postgres import Postgres
from topology.platform.backup.generations import Generation, Generations
from topology.platform.backup.settings import GENERATIONS

pytestmark = pytest.mark.takes(40)

Start = Callable[..., BackupNode]
CANARY = "canary-of-the-plain-text"


def test_back_to_any_instant_and_to_the_last_archived_commit(
    empty: Postgres, follower: BackupNode, tmp_path: Path
) -> None:
    write(empty, 1, 2)
    before = now(empty)
    write(empty, 3)
    empty.query("DELETE FROM notes WHERE number < 3")
    follower.await_all_until(now(empty))
    assert notes(follower, tmp_path / "then", "--at", before.isoformat()) == [1, 2]
    assert notes(follower, tmp_path / "latest") == [3]


def test_an_instant_after_the_last_commit_is_the_last_commit(
    empty: Postgres, follower: BackupNode, tmp_path: Path
) -> None:
    write(empty, 1)
    idle = now(empty)
    follower.await_all_until(idle)
    assert notes(follower, tmp_path / "idle", "--at", idle.isoformat()) == [1]


def test_a_copy_whose_path_is_too_long_for_a_socket_leaves_nothing_elsewhere(
    empty: Postgres, follower: BackupNode, tmp_path: Path
) -> None:
    write(empty, 1)
    follower.await_all_until(now(empty))
    others = set(Path("/tmp").iterdir())  # noqa: S108
    deep = tmp_path / ("deep" * 40)
    assert notes(follower, deep) == [1]
    left = set(Path("/tmp").glob("restored-*")) - others  # noqa: S108
    assert not [path for path in left if not path.is_symlink() or path.resolve() == deep]


def test_what_lies_outside_is_refused_by_name(empty: Postgres, follower: BackupNode, tmp_path: Path) -> None:
    follower.await_all_until(now(empty))
    oldest = follower.told()["generations"][0]["ended"]
    for at, why in (
        ("2020-01-01T00:00:00Z", f"is before the end of the oldest generation, {oldest}"),
        ("2999-01-01T00:00:00Z", "is after the newest restorable instant"),
    ):
        done = follower.run("restore", "--into", str(tmp_path / "never"), "--at", at)
        assert done.returncode == 2
        assert why in done.stderr
    assert not (tmp_path / "never").exists()
    done = follower.run("restore", "--into", str(tmp_path / "never"), "--at", "yesterday")
    assert "no instant with its zone" in done.stderr
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    assert "is not empty" in follower.run("restore", "--into", str(tmp_path / "full")).stderr


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--standby"], "are ways to --serve"),
        (["--detach"], "are ways to --serve"),
        (["--serve", "5432", "--standby", "--at", "2026-01-15T14:46:40+09:00"], "it has no --at"),
    ],
)
def test_ways_to_serve_that_contradict_each_other_are_refused(
    follower: BackupNode, tmp_path: Path, words: list[str], why: str
) -> None:
    done = follower.run("restore", "--into", str(tmp_path / "never"), *words)
    assert done.returncode == 2
    assert why in done.stderr
    assert not (tmp_path / "never").exists()


def test_who_serves_behind_the_programs_end_says_what_kept_it_from_it(
    follower: BackupNode, tmp_path: Path
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    done = follower.run("restore", "--into", str(tmp_path / "full"), "--serve", "5432", "--detach")
    assert (done.returncode, done.stdout) == (2, "")
    assert "is not empty" in done.stderr


def test_nothing_lies_on_the_disk_in_plain_text(empty: Postgres, backup: Start) -> None:
    write(empty, 1, note=CANARY)
    node = backup(empty)
    write(empty, 2, note=CANARY)
    node.await_all_until(now(empty))
    plain = [path for path in (node.folder / "data").rglob("*") if path.is_file() and holds_canary(path)]
    assert plain == []
    in_memory = [path for path in node.scratch.rglob("*") if path.is_file() and holds_canary(path)]
    assert in_memory, "the receiver's own window, which shows that the canary can be found"
    switch_segments(empty, 3)
    write(empty, 3)
    node.await_all_until(now(empty))
    windows = [path for path in node.scratch.rglob("*") if path.is_file() and holds_canary(path)]
    assert windows == []


def holds_canary(path: Path) -> bool:
    return CANARY.encode() in path.read_bytes()


def test_every_generation_is_restored_started_and_replayed_to_the_end(empty: Postgres, backup: Start) -> None:
    node = backup(empty, BACKUP_EVERY_S="2")
    node.await_generations(2)
    node.node.kill()
    node.environment.pop("BACKUP_EVERY_S")  # no more of them
    node.start()
    write(empty, *range(50))
    node.await_all_until(now(empty))
    found = node.verify()
    assert len(found) >= 2
    for verified in found:
        assert verified["restorable"], verified
        assert (verified["tables"], verified["rows"]) == (1, 50)
    told = node.told()["verified"]
    assert [each["generation"] for each in told] == [each["generation"] for each in found]
    assert list(node.scratch.glob("verify-*")) == []


def test_a_generation_that_was_damaged_is_worth_nothing(
    empty: Postgres, follower: BackupNode, tmp_path: Path
) -> None:
    follower.await_all_until(now(empty))
    copy = follower.copy(tmp_path / "copy")
    (base,) = (copy.folder / "data").rglob("base.tar.gz.age")
    sealed = bytearray(base.read_bytes())
    sealed[len(sealed) // 2] ^= 1
    base.write_bytes(sealed)
    (verified,) = copy.verify()
    assert not verified["restorable"]
    assert verified["generation"] in verified["why"]


def test_a_hole_in_the_log_is_found(empty: Postgres, follower: BackupNode, tmp_path: Path) -> None:
    switch_segments(empty, 3)
    write(empty, 1)
    follower.await_all_until(now(empty))
    log = follower.told()["log"]
    assert log["holes"] == []
    whole = [
        path
        for path in (follower.folder / "data" / "backup" / "log").glob("0*.age")
        if path.name.count(".") == 1
    ]
    missing = sorted(whole)[-2]
    missing.rename(tmp_path / missing.name)
    try:
        assert follower.told()["log"]["holes"] == [missing.name.removesuffix(".age")]
        (verified,) = follower.verify()
    finally:
        (tmp_path / missing.name).rename(missing)
    assert not verified["restorable"]
    assert "there is a hole in it" in verified["why"]


def test_ten_generations_are_kept_and_no_log_from_before_them(tmp_path: Path) -> None:
    generations = Generations(tmp_path)
    generations.open()
    first = Generation("20260101T000000.000000", "", "", "0/1000028", "0/1000100", 1, 1)
    for number in range(13):
        made = replace(first, name=f"202601{number + 1:02}T000000.000000")
        (generations.folder / made.name).mkdir()
        (generations.folder / made.name / "about.json").write_text(json.dumps(asdict(made)))
    (generations.folder / ".20260120T000000.000000").mkdir()
    generations.open()
    kept = generations.keep(GENERATIONS)
    assert GENERATIONS == 10
    assert [each.name[6:8] for each in kept] == [f"{day:02}" for day in range(4, 14)]
    assert kept == generations.all()
    assert len(list(generations.folder.iterdir())) == 10


def test_a_node_that_was_killed_goes_on_where_it_was(
    empty: Postgres, follower: BackupNode, tmp_path: Path
) -> None:
    write(empty, 1)
    follower.await_all_until(now(empty))
    follower.node.kill()
    shutil.rmtree(follower.scratch)
    follower.scratch.mkdir()
    done = follower.run("restore", "--into", str(tmp_path / "without-the-node"))
    assert done.returncode == 0, "what was archived is there without the primary's help"
    write(empty, 2)
    follower.start()
    write(empty, 3)
    follower.await_all_until(now(empty))
    assert follower.told()["log"]["holes"] == []
    assert len(follower.told()["generations"]) == 1
    assert notes(follower, tmp_path / "restored") == [1, 2, 3]


def test_a_wiped_archive_is_begun_anew(empty: Postgres, backup: Start, tmp_path: Path) -> None:
    node = backup(empty)
    write(empty, 1)
    node.await_all_until(now(empty))
    before = node.told()["generations"]
    (node.folder / "data" / "backup").rename(tmp_path / "wiped")  # all at once, while the node writes into it
    until(lambda: node.told()["generations"] not in (before, []), 15, "a new generation", node.node.read_log)
    write(empty, 2)
    node.await_all_until(now(empty))
    assert node.told()["log"]["holes"] == []
    assert notes(node, tmp_path / "restored") == [1, 2]
    assert all(each["restorable"] for each in node.verify())
