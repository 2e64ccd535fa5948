"""Operations as Arrow IPC streams: one file per writer, flushed often, readable after any crash.

One row is one operation of one simulated user (load) or of one synthetic user (probe).
"""

from __future__ import annotations

import errno
import io
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

FLUSH_EVERY_S: Final = 0.1

#: What an operation came to. `info`: nobody knows; it may have happened (a time-out, a connection cut).
OUTCOMES: Final = ("ok", "fail", "info")
#: The load's kinds: answer = the answer form was sent; look = the page was fetched; attach = the access network let
#: somebody's handset in, and took it for another's (see MISTAKEN): only that is written down of the load.
#: The probes' kinds are the capabilities: read, write, login, feed, delivery, attach.
KINDS: Final = ("answer", "look", "read", "write", "login", "feed", "delivery", "attach")

#: `detail` of a handset that was let in as somebody else's.
MISTAKEN: Final = "taken for another"

_CODE: Final = pa.int16()
_NAME: Final[pa.DataType] = pa.dictionary(_CODE, pa.string())

_OPERATION: Final[list[tuple[str, pa.DataType]]] = [
    ("process", pa.int32()),  # who, as in Jepsen: one sequential actor
    ("kind", _NAME),
    ("key", pa.int64()),  # the register: person_id
    # answer: the value written (1, 2, ... per person); look: the value seen; attach: taken for whom; 0: none
    ("value", pa.int64()),
    ("intended_ns", pa.int64()),  # when it should have started
    ("invoked_ns", pa.int64()),  # when it did
    ("completed_ns", pa.int64()),
    ("outcome", _NAME),
    ("vantage", _NAME),  # the carrier, "observers", or the block at home
    ("endpoint", _NAME),  # the entrance or node that answered last
    ("detail", pa.string()),  # why it failed: "timeout", "refused", "reset", "http 503", ...; null when ok
]
SCHEMA: Final = pa.schema(_OPERATION)

_OBSERVATION: Final[list[tuple[str, pa.DataType]]] = [
    ("at_ns", pa.int64()),  # when the observation was complete
    ("node", pa.string()),
    ("role", pa.string()),  # "primary" | "replica" as PostgreSQL itself says; "" = no answer
    ("timeline", pa.int64()),  # PostgreSQL timeline id; 0 = unknown
    ("wrote", pa.bool_()),  # a write made on this very node was acknowledged
    ("leader", pa.string()),  # who holds the leader key in the consensus store; "" = nobody or unknown
]
#: databases.arrow: one row per database node and round of observation.
DATABASE_SCHEMA: Final = pa.schema(_OBSERVATION)

_REPLICATION: Final[list[tuple[str, pa.DataType]]] = [
    ("at_ns", pa.int64()),  # when the observation was complete
    ("node", pa.string()),  # a database node
    ("region", pa.string()),  # where it stands
    ("acknowledged_ns", pa.int64()),  # when the newest write began that a primary had acknowledged until then
    ("shown_ns", pa.int64()),  # when the newest write began that this node shows; 0 = no answer
]
#: replication.arrow: how far each database node follows; the difference would be lost with the primary.
REPLICATION_SCHEMA: Final = pa.schema(_REPLICATION)

_MAIL: Final[list[tuple[str, pa.DataType]]] = [
    ("id", pa.string()),  # Message-ID without angle brackets
    ("to", pa.string()),  # the addressee; on leg "stored" the mailbox it was stored in
    ("at_ns", pa.int64()),
    ("node", pa.string()),
    # composed: "queued"|"sent"; relayed: "ok"|"deferred"|"bounced"; noticed: "ok"|"lost"; opened: after a "notice"|
    # "by hand"; others "ok"
    ("result", pa.string()),
]
#: How somebody came to open a mail: a handset rang for it, or they looked into the mailbox by themselves.
BY_NOTICE: Final = "notice"
BY_HAND: Final = "by hand"
#: mail/<leg>.arrow: one row per mail and event on that leg.
MAIL_SCHEMA: Final = pa.schema(_MAIL)


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


@dataclass(frozen=True, slots=True)
class Opened:
    """Somebody opened a mail: one row of `MAIL_SCHEMA`, in its order. `node` is the carrier whose handset it was."""

    id: str
    to: str
    at_ns: int
    node: str
    result: str

    def row(self) -> tuple[object, ...]:
        return self.id, self.to, self.at_ns, self.node, self.result


class Rows:
    """Appends rows to one file as an Arrow IPC stream. Safe from several threads.

    Each row is a tuple in the order of the schema; `names` lists what may stand in its dictionary columns.
    `add` flushes when that is due; what was flushed survives any crash. A disk that takes nothing more loses
    nothing either: rows wait in memory, the file stays whole, every flush tries again; `trouble` says why.
    """

    def __init__(
        self, path: Path, schema: pa.Schema, names: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        self._schema = schema
        self._names = {column: pa.array(values, pa.string()) for column, values in (names or {}).items()}
        self._codes = {
            column: {name: code for code, name in enumerate(values)}
            for column, values in (names or {}).items()
        }
        self._rows: list[tuple[object, ...]] = []
        self._file = path.open("wb", buffering=0)
        self._sink = io.BytesIO()
        self._unwritten = b""
        self._whole = 0  # bytes of the file that are whole batches
        self._stream = pa.ipc.new_stream(self._sink, schema)
        self._flushed_s = time.monotonic()
        self._lock = threading.Lock()
        self.trouble: OSError | None = None

    def add(self, row: tuple[object, ...]) -> None:
        with self._lock:
            self._rows.append(row)
        if time.monotonic() - self._flushed_s >= FLUSH_EVERY_S:
            self.flush()

    def flush(self) -> None:
        with self._lock:
            rows, self._rows = self._rows, []
            self._flushed_s = time.monotonic()
            if rows:
                self._stream.write_batch(self._batch(rows))
            self._write()

    def close(self) -> None:
        self.flush()
        with self._lock:
            self._stream.close()
            self._write()
            self._file.close()

    def _write(self) -> None:
        """Put on disk what the stream has made: all of it, or none and try again with the next."""
        self._unwritten += self._sink.getvalue()
        self._sink.seek(0)
        self._sink.truncate()
        if not self._unwritten:
            return
        try:
            written = self._file.write(self._unwritten) or 0
            if written < len(self._unwritten):
                raise OSError(errno.ENOSPC, f"took {written} of {len(self._unwritten)} bytes")
        except OSError as error:
            self.trouble = error
            self._file.truncate(self._whole)
            self._file.seek(self._whole)
            return
        self._whole += len(self._unwritten)
        self._unwritten = b""
        self.trouble = None

    def _batch(self, rows: list[tuple[object, ...]]) -> pa.RecordBatch:
        columns = [
            self._column(field, values)
            for field, values in zip(self._schema, zip(*rows, strict=True), strict=True)
        ]
        return pa.RecordBatch.from_arrays(columns, schema=self._schema)

    def _column(self, field: pa.Field[pa.DataType], values: Sequence[object]) -> pa.Array[Any]:
        codes = self._codes.get(field.name)
        if codes is None:
            return pa.array(values, field.type)
        indices = pa.array([codes[str(value)] for value in values], _CODE)
        return pa.DictionaryArray.from_arrays(indices, self._names[field.name])


_in_order: Final = attrgetter(*SCHEMA.names)


class Writer:
    """Appends operations to one file. Safe from several threads.

    Call `flush` (or `add`, which does it when due) at least ten times a second; what was flushed survives any
    crash.
    """

    def __init__(self, path: Path, *, vantages: Sequence[str], endpoints: Sequence[str]) -> None:
        names = {"kind": KINDS, "outcome": OUTCOMES, "vantage": vantages, "endpoint": endpoints}
        self._kinds, self._outcomes = frozenset(KINDS), frozenset(OUTCOMES)
        self._vantages, self._endpoints = frozenset(vantages), frozenset(endpoints)
        self._rows = Rows(path, SCHEMA, names)

    @property
    def trouble(self) -> OSError | None:
        """Why the file takes nothing at the moment; the operations wait in memory."""
        return self._rows.trouble

    def add(self, operation: Operation) -> None:
        """Raises KeyError for a kind, outcome, vantage or endpoint that was not declared."""
        if (
            operation.kind not in self._kinds
            or operation.outcome not in self._outcomes
            or operation.vantage not in self._vantages
            or operation.endpoint not in self._endpoints
        ):
            raise KeyError(f"not declared: one of the names of {operation}")
        self._rows.add(_in_order(operation))

    def flush(self) -> None:
        self._rows.flush()

    def close(self) -> None:
        self._rows.close()


def read(folder: Path, schema: pa.Schema = SCHEMA) -> pa.Table:
    """Every operation in a folder of streams (or in one file), unsorted. Names come as dictionary columns.

    A stream that was cut short or garbled gives the batches that stand whole before that. No file, no rows.
    Raises ValueError for a stream of something else.
    """
    tables = [_read_stream(path, schema) for path in sorted(folder.glob("*.arrow")) if path.stat().st_size]
    if folder.is_file():
        tables = [_read_stream(folder, schema)]
    if not tables:
        return schema.empty_table()
    return pa.concat_tables(tables).unify_dictionaries()


def _read_stream(path: Path, schema: pa.Schema) -> pa.Table:
    batches: list[pa.RecordBatch] = []
    with suppress(StopIteration, pa.ArrowException, OSError, EOFError), pa.memory_map(str(path)) as source:
        reader = pa.ipc.open_stream(source)
        while True:
            batch = reader.read_next_batch()
            batch.validate(full=True)  # what is garbled would end the process that looks at it
            batches.append(batch)
    return pa.Table.from_batches(batches, schema) if batches else schema.empty_table()
