from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from harness.rundir import history
from harness.rundir.history import Operation, Writer
from tests.harness.rundir.disk import full_disk


def operation(n: int, **changes: str) -> Operation:
    names = {"kind": "answer", "outcome": "ok", "vantage": "au", "endpoint": "a"} | changes
    return Operation(process=n, key=n, value=1, intended_ns=n, invoked_ns=n + 1, completed_ns=n + 2, **names)


@pytest.fixture
def writer(tmp_path: Path) -> Writer:
    return Writer(tmp_path / "load-0.arrow", vantages=["docomo", "au"], endpoints=["a", "b"])


def keys(folder: Path) -> list[int]:
    return [row["key"] for row in history.read(folder).select(["key"]).to_pylist()]


def test_what_was_flushed_can_be_read_at_once(writer: Writer, tmp_path: Path) -> None:
    for n in range(10):
        writer.add(operation(n))
    writer.flush()
    writer.add(operation(99))
    assert keys(tmp_path)[:10] == list(range(10))
    row = history.read(tmp_path).slice(3, 1).to_pylist()[0]
    assert row == {
        "process": 3, "kind": "answer", "key": 3, "value": 1, "intended_ns": 3, "invoked_ns": 4, "completed_ns": 5,
        "outcome": "ok", "vantage": "au", "endpoint": "a", "detail": None,
    }  # fmt: skip
    writer.close()
    assert keys(tmp_path) == [*range(10), 99]


@pytest.mark.parametrize("column", ["kind", "outcome", "vantage", "endpoint"])
def test_a_name_that_was_not_declared_is_refused(writer: Writer, tmp_path: Path, column: str) -> None:
    with pytest.raises(KeyError):
        writer.add(operation(1, **{column: "nonesuch"}))
    writer.add(operation(2))
    writer.close()
    assert keys(tmp_path) == [2]


def test_a_full_disk_costs_nothing_but_time(writer: Writer, tmp_path: Path) -> None:
    for n in range(100):
        writer.add(operation(n))
    writer.flush()
    size = (tmp_path / "load-0.arrow").stat().st_size
    with full_disk(size + 500):
        for n in range(100, 200):
            writer.add(operation(n))
        writer.flush()
        assert writer.trouble is not None
        assert keys(tmp_path) == list(range(100))  # the file is whole
        writer.add(operation(200))
        writer.flush()
        assert keys(tmp_path) == list(range(100))
    writer.flush()
    assert writer.trouble is None
    writer.close()
    assert keys(tmp_path) == list(range(201))


def test_a_file_cut_anywhere_gives_every_batch_before_the_cut(writer: Writer, tmp_path: Path) -> None:
    path = tmp_path / "load-0.arrow"
    sizes = []
    for n in range(5):
        writer.add(operation(n))
        writer.flush()
        sizes.append(path.stat().st_size)
    writer.close()
    whole = path.read_bytes()
    for cut in range(sizes[0], len(whole), 37):
        path.write_bytes(whole[:cut])
        assert keys(tmp_path) == list(range(sum(size <= cut for size in sizes)))


def test_a_file_garbled_anywhere_ends_nobody_who_reads_it(writer: Writer, tmp_path: Path) -> None:
    path = tmp_path / "load-0.arrow"
    for n in range(3):
        writer.add(operation(n))
    writer.close()
    whole = path.read_bytes()
    for at in range(0, len(whole), 3):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        with suppress(ValueError):  # it is a stream of something else now
            table = history.read(tmp_path)
            assert 0 <= table.num_rows == len(table.to_pylist())
    path.unlink()
    path.mkdir()
    assert history.read(tmp_path).num_rows == 0
