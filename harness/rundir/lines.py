"""JSON-lines files: one object a line, each whole on disk or not there at all, readable after any crash."""

from __future__ import annotations

import errno
import json
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

Json: TypeAlias = "str | int | float | bool | Sequence[Json] | Mapping[str, Json] | None"


class Lines:
    """Appends objects to a file that nobody else writes. Safe from several threads.

    What was added is in the file when the call returns, unless the disk takes nothing more: then nothing is lost and
    nothing torn, rows wait in memory, and the next call or `flush` tries again. `trouble` says why they wait.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._waiting = b""
        self._lock = threading.Lock()
        self.trouble: OSError | None = None

    def add(self, row: Mapping[str, Json]) -> None:
        self._put(json.dumps(row, ensure_ascii=False).encode(errors="replace") + b"\n", sync=False)

    def add_durably(self, row: Mapping[str, Json]) -> None:
        """Returns only when it is on disk for good. Raises OSError if it cannot be; then it is not there at all."""
        line = json.dumps(row, ensure_ascii=False).encode(errors="replace") + b"\n"
        self._put(line, sync=True)

    def flush(self) -> None:
        """Try again to write what waits."""
        self._put(b"", sync=False)

    def _put(self, line: bytes, sync: bool) -> None:
        with self._lock:
            before = self._waiting
            self._waiting += line
            try:
                self._write(sync)
            except OSError as error:
                self.trouble = error
                if sync:
                    self._waiting = before
                    raise
            else:
                self._waiting, self.trouble = b"", None

    def _write(self, sync: bool) -> None:
        """All that waits, or nothing of it."""
        if not self._waiting:
            return
        with self._path.open("ab", buffering=0) as file:
            whole = file.seek(0, os.SEEK_END)
            try:
                written = file.write(self._waiting) or 0
                if written < len(self._waiting):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path))
                if sync:
                    os.fsync(file.fileno())
            except OSError:
                file.truncate(whole)
                raise


def read_jsonl(path: Path) -> Iterator[dict[str, Json]]:
    """The objects of a JSON-lines file; nothing if there is none; a line that a crash tore is skipped."""
    if not path.is_file():
        return
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            try:
                row = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(row, dict):
                yield row
