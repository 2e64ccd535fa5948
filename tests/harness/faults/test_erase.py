"""What is erased is gone, seen from outside; nothing takes it back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.faults import Passing, Stage
from harness.faults.erase import EraseAnswers, EraseArchive, EraseTable, NoSuchTable
from tests.small import small_map
from tests.topology.service.postgres import PASSWORD, Postgres
from topology.map import Node


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Postgres]:
    """Where the service's database listens, with the answers of three companies."""
    server = Postgres.create(tmp_path / "data")
    server.stop()
    server.port = 5432
    server.start()
    server.query("CREATE TABLE answers AS SELECT i % 3 + 1 AS company FROM generate_series(1, 30) i")
    yield server
    server.kill()


@pytest.fixture
def beside() -> Stage:
    """A stage whose nodes are all on this machine."""
    runtime = SimpleNamespace(inside=lambda _node: nullcontext())
    return Stage(cast(Any, runtime), small_map(), small_map().nodes["a1"])


def primary() -> Node:
    return replace(
        small_map().nodes["a1"],
        address=IPv4Address("127.0.0.1"),
        environment={"DATABASE_PASSWORD": PASSWORD},
    )


def test_the_answers_of_one_company_are_gone(database: Postgres, beside: Stage) -> None:
    fault = EraseAnswers(primary(), 2)
    assert not fault.verify(beside).proven
    fault.inject(beside)
    effect = fault.verify(beside)
    assert effect.proven
    assert effect.proof == "company 2 had 10 rows of answers and has 0"
    assert database.query("SELECT DISTINCT company FROM answers ORDER BY 1") == [(1,), (3,)]


def test_everybodys_answers_are_gone(database: Postgres, beside: Stage) -> None:
    fault = EraseAnswers(primary())
    fault.inject(beside)
    effect = fault.verify(beside)
    assert effect.proven
    assert effect.proof == "everybody had 30 rows of answers and has 0"
    assert database.query("SELECT count(*) FROM answers") == [(0,)]


def test_where_there_was_nothing_nothing_is_proven(database: Postgres, beside: Stage) -> None:
    fault = EraseAnswers(primary(), 9)
    fault.inject(beside)
    assert fault.verify(beside).proof == "company 9 had 0 rows of answers and has 0"
    assert not fault.verify(beside).proven


def test_a_table_is_gone(database: Postgres, beside: Stage) -> None:
    fault = EraseTable(primary(), "answers")
    assert not fault.verify(beside).proven
    fault.inject(beside)
    effect = fault.verify(beside)
    assert effect.proven
    assert 'relation "answers" does not exist' in effect.proof


def test_a_table_that_is_not_there_cannot_be_dropped(database: Postgres, beside: Stage) -> None:
    for _ in range(2):
        with pytest.raises(NoSuchTable, match=r'a1: .*table "answrs" does not exist'):
            EraseTable(primary(), "answrs").inject(beside)


def test_answers_of_which_the_table_is_gone_are_neither_erased_nor_seen(
    database: Postgres, beside: Stage
) -> None:
    EraseTable(primary(), "answers").inject(beside)
    fault = EraseAnswers(primary(), 2)
    for act in (fault.inject, fault.verify):
        with pytest.raises(OSError, match=r'a1: .*relation "answers" does not exist'):
            act(beside)


def test_a_database_that_does_not_answer_is_named(beside: Stage) -> None:
    with pytest.raises(OSError, match=r"a1: .*refused"):
        EraseAnswers(primary(), 2).inject(beside)


@pytest.mark.fabric
def test_an_archive_is_empty_though_it_is_filled_anew(stage: Stage) -> None:
    node = stage.topology.nodes["b1"]
    stage.runtime.exec(node, ["sh", "-c", "mkdir -p /mnt/data/log; date > /mnt/data/log/first"], 5)
    fault = EraseArchive(node)
    fault.inject(stage)
    stage.runtime.exec(node, ["sh", "-c", "mkdir -p /mnt/data/log; date > /mnt/data/log/first"], 5)
    effect = fault.verify(stage)
    assert effect.proven
    assert effect.proof == "b1 had 1 files, 0 of them are left"


#: Makes new folders and files as fast as it can, by their paths, and says when it has begun.
WRITES = """
i=0
while :; do
  i=$((i+1)); mkdir -p /mnt/data/log/$((i%7)) && date > /mnt/data/log/$((i%7))/$i
  [ $i = 40 ] && echo begun
done 2>/dev/null
"""


@pytest.mark.fabric
def test_an_archive_is_wiped_while_its_node_goes_on_writing(stage: Stage, tmp_path: Path) -> None:
    node = stage.topology.nodes["b1"]
    with ThreadPoolExecutor() as pool:
        writing = pool.submit(stage.runtime.exec, node, ["timeout", "8", "sh", "-c", WRITES], 20)
        until = time.monotonic() + 5
        fault = EraseArchive(node)
        while len(fault._files(stage)) < 40:
            assert time.monotonic() < until, "nobody writes"
        fault.inject(stage)
        assert not writing.done(), "it went on writing meanwhile"
        effect = fault.verify(stage)
        assert writing.result().status == 124, "until its time was over"
    assert effect.proven, effect
    assert fault._files(stage), "and what it wrote afterwards is there"


def test_nothing_takes_it_back() -> None:
    for fault in (
        EraseAnswers(primary(), 2),
        EraseAnswers(primary()),
        EraseTable(primary(), "answers"),
        EraseArchive(primary()),
    ):
        assert not isinstance(fault, Passing)
        assert fault.undoing["verb"] is None
        assert "can only be restored from a backup" in str(fault.undoing["why"])
