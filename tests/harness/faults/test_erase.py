"""What is erased is gone, seen from outside; nothing takes it back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.faults import Passing, Stage
from harness.faults.erase import EraseAnswers, EraseArchive, EraseTable
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


def test_nothing_takes_it_back() -> None:
    for fault in (EraseAnswers(primary(), 2), EraseTable(primary(), "answers"), EraseArchive(primary())):
        assert not isinstance(fault, Passing)
        assert fault.undoing["verb"] is None
        assert "can only be restored from a backup" in str(fault.undoing["why"])
