"""Telegrams on a receiver's disk, from the moment they are acknowledged until the database has them.

incoming/<n>              arriving; whatever is there after a crash was never acknowledged
spool/<received ns>-<n>   on disk for good, oldest first
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import BinaryIO, Final

from topology.platform.durable import sync_folder
from topology.service.telegram import LARGEST

_DIGITS: Final = 20


@dataclass(frozen=True)
class Spooled:
    """`received_at_ns`: when it was on disk, monotonic."""

    path: Path
    received_at_ns: int

    def read(self) -> bytes:
        return self.path.read_bytes()

    def done(self) -> None:
        """The database has it."""
        self.path.unlink(missing_ok=True)


class Incoming:
    """A file that is arriving. Only `keep` makes it a telegram; closing it before throws it away."""

    def __init__(self, path: Path, spool: Spool, name: str) -> None:
        self._path, self._spool = path, spool
        self._file: BinaryIO = path.open("xb")
        self._size = 0
        #: What the other side calls it.
        self.name = name

    def write(self, data: bytes) -> int:
        """Raises OSError when it cannot be stored, or is larger than any telegram."""
        self._size += len(data)
        if self._size > LARGEST:
            raise OSError(27, "larger than any telegram")
        return self._file.write(data)

    def keep(self) -> None:
        """On disk for good when this returns. Raises OSError if it is not."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._spool.take(self._path)

    def close(self) -> None:
        self._file.close()
        self._path.unlink(missing_ok=True)

    @property
    def closed(self) -> bool:
        return self._file.closed


class Spool:
    """Written by the receiver's thread, read by the storing loop."""

    def __init__(self, folder: Path) -> None:
        self._incoming, self._kept = folder / "incoming", folder / "spool"
        for part in (self._incoming, self._kept):
            part.mkdir(parents=True, exist_ok=True)
        for torn in self._incoming.iterdir():
            torn.unlink()
        self._numbers = count()
        self._lock = threading.Lock()

    def open(self, name: str) -> Incoming:
        """Raises OSError."""
        return Incoming(self._incoming / f"{os.getpid()}-{next(self._numbers)}", self, name)

    def take(self, path: Path) -> None:
        with self._lock:
            kept = self._kept / f"{time.monotonic_ns():0{_DIGITS}d}-{path.name}"
            path.rename(kept)
            sync_folder(self._kept)

    def __iter__(self) -> Iterator[Spooled]:
        """What waits for the database, oldest first."""
        for path in sorted(self._kept.iterdir()):
            stamp, _, _ = path.name.partition("-")
            if stamp.isdigit():
                yield Spooled(path, int(stamp))
