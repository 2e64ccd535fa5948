from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import pytest

from topology.platform import storage_watch
from topology.platform.storage_watch import StorageWatch, await_refusal


def test_storage_that_takes_what_is_written_is_not_refused(tmp_path: Path) -> None:
    watch = StorageWatch("database-a", tmp_path)
    assert watch.refusal() == ""
    assert watch.refusal() == ""


@pytest.mark.parametrize(
    ("number", "why"),
    [
        (errno.EIO, "Input/output error"),
        (errno.EROFS, "Read-only file system"),
        (errno.ENOSPC, ""),
    ],
)
def test_a_full_disk_is_not_gone_and_a_broken_one_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, why: str
) -> None:
    def refuse(_: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(storage_watch.os, "fsync", refuse)
    assert StorageWatch("database-a", tmp_path).refusal() == why


def test_it_looks_until_the_first_refusal() -> None:
    said = iter(["", "", "Input/output error"])
    assert await_refusal(lambda: next(said), lambda: True, every_s=0.0) == "Input/output error"
    assert list(said) == []


def test_a_disk_that_gives_no_answer_is_gone() -> None:
    never = threading.Event()
    try:
        why = await_refusal(lambda: str(never.wait()), lambda: True, silent_s=0.05)
    finally:
        never.set()
    assert why == "no answer within 0.05 s"


def test_it_ends_with_the_node() -> None:
    wanted = iter([True, False])
    assert await_refusal(lambda: "", lambda: next(wanted), every_s=0.0) == ""
