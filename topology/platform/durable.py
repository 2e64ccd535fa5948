"""Files that are whole or not there at all, and stay so whatever happens to the machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def replacing(target: Path) -> Iterator[IO[bytes]]:
    """A file that is in the place of `target`, and on disk, when the context has ended well. Raises OSError."""
    partial = target.with_name(f".{target.name}.partial")
    with partial.open("wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
    partial.replace(target)
    sync_folder(target.parent)


def write(target: Path, body: bytes) -> None:
    """A small file. Raises OSError."""
    with replacing(target) as file:
        file.write(body)


def sync_folder(folder: Path) -> None:
    """What was made, renamed or removed in it stays so."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
