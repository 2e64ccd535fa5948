"""Operations as Arrow IPC streams: one file per writer, flushed often, readable after any crash.

One row is one operation of one simulated user (load) or of one synthetic user (probe).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa

FLUSH_EVERY_S: Final = 0.1

#: What an operation came to. `info`: nobody knows; it may have happened (a time-out, a connection cut half-way).
OUTCOMES: Final = ("ok", "fail", "info")
#: The load's kinds: answer = the answer form was sent; look = the page was fetched.
#: The probes' kinds are the capabilities: read, write, login, feed, mail.
KINDS: Final = ("answer", "look", "read", "write", "login", "feed", "mail")

_NAME = pa.dictionary(pa.int16(), pa.string())

SCHEMA: Final = pa.schema(
    [
        ("process", pa.int32()),  # who, as in Jepsen: one sequential actor
        ("kind", _NAME),
        ("key", pa.int64()),  # the register: person_id
        ("value", pa.int64()),  # answer: the value written (1, 2, ... per person); look: the value seen; 0 = none
        ("intended_ns", pa.int64()),  # when it should have started
        ("invoked_ns", pa.int64()),  # when it did
        ("completed_ns", pa.int64()),
        ("outcome", _NAME),
        ("vantage", _NAME),  # the carrier, or "observers"
        ("endpoint", _NAME),  # the entrance or node that answered last
        ("detail", pa.string()),  # why it failed: "timeout", "refused", "reset", "http 503", ...; null when ok
    ]
)

#: databases.arrow: one row per database node and round of observation.
DATABASE_SCHEMA: Final = pa.schema(
    [
        ("at_ns", pa.int64()),  # when the observation was complete
        ("node", pa.string()),
        ("role", pa.string()),  # "primary" | "replica" as PostgreSQL itself says; "" = no answer
        ("timeline", pa.int64()),  # PostgreSQL timeline id; 0 = unknown
        ("wrote", pa.bool_()),  # a write made on this very node was acknowledged
        ("leader", pa.string()),  # who holds the leader key in the consensus store; "" = nobody or unknown
    ]
)

#: mail/<leg>.arrow: one row per mail and event on that leg.
MAIL_SCHEMA: Final = pa.schema(
    [
        ("id", pa.string()),  # Message-ID without angle brackets
        ("to", pa.string()),  # the addressee; on leg "stored" the mailbox it was stored in
        ("at_ns", pa.int64()),
        ("node", pa.string()),
        ("result", pa.string()),  # composed: "queued"|"sent"; relayed: "ok"|"deferred"|"bounced"; others "ok"
    ]
)


@dataclass(frozen=True, slots=True)
class Operation:
    """One row of `SCHEMA`."""

    process: int
    kind: str
    key: int
    value: int
    intended_ns: int
    invoked_ns: int
    completed_ns: int
    outcome: str
    vantage: str
    endpoint: str
    detail: str | None = None


class Writer:
    """Appends operations to one file. Safe from several threads.

    Call `flush` (or `add`, which does it when due) at least ten times a second; what was flushed survives any crash.
    """

    def __init__(self, path: Path, *, vantages: Sequence[str], endpoints: Sequence[str]) -> None:
        self._names = {
            "kind": list(KINDS),
            "outcome": list(OUTCOMES),
            "vantage": list(vantages),
            "endpoint": list(endpoints),
        }
        self._codes = {column: {name: i for i, name in enumerate(names)} for column, names in self._names.items()}
        self._file = path.open("wb", buffering=0)
        self._stream = pa.ipc.new_stream(self._file, SCHEMA)
        self._rows: list[Operation] = []
        self._flushed_s = time.monotonic()
        self._lock = threading.Lock()

    def add(self, operation: Operation) -> None:
        """Raises KeyError for a kind, outcome, vantage or endpoint that was not declared."""
        for column, codes in self._codes.items():
            codes[getattr(operation, column)]
        with self._lock:
            self._rows.append(operation)
        if time.monotonic() - self._flushed_s >= FLUSH_EVERY_S:
            self.flush()

    def flush(self) -> None:
        with self._lock:
            rows, self._rows = self._rows, []
            self._flushed_s = time.monotonic()
            if rows:
                self._stream.write_batch(self._batch(rows))

    def close(self) -> None:
        self.flush()
        with self._lock:
            self._stream.close()
            self._file.close()

    def _batch(self, rows: list[Operation]) -> pa.RecordBatch:
        columns: list[pa.Array] = []
        for field in SCHEMA:
            values = [getattr(row, field.name) for row in rows]
            if field.name in self._codes:
                codes = self._codes[field.name]
                indices = pa.array([codes[value] for value in values], pa.int16())
                columns.append(pa.DictionaryArray.from_arrays(indices, pa.array(self._names[field.name])))
            else:
                columns.append(pa.array(values, field.type))
        return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)


def read(folder: Path, schema: pa.Schema = SCHEMA) -> pa.Table:
    """Every operation in a folder of streams (or in one file), unsorted. Names come as dictionary columns.

    A stream that a crash cut short gives all batches that were flushed whole. No file, no rows.
    """
    tables = [_read_stream(path, schema) for path in sorted(folder.glob("*.arrow")) if path.stat().st_size]
    if folder.is_file():
        tables = [_read_stream(folder, schema)]
    if not tables:
        return schema.empty_table()
    return pa.concat_tables(tables).unify_dictionaries()


def _read_stream(path: Path, schema: pa.Schema) -> pa.Table:
    batches: list[pa.RecordBatch] = []
    with pa.memory_map(str(path)) as source:
        try:
            reader = pa.ipc.open_stream(source)
            while True:
                batches.append(reader.read_next_batch())
        except (StopIteration, pa.ArrowInvalid, OSError, EOFError):
            pass
    return pa.Table.from_batches(batches, schema) if batches else schema.empty_table()
