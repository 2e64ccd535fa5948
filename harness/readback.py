"""Reading the final state back: what the service knows, and what every mail system on the way noted."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from typing import Final

import pyarrow as pa
import pyarrow.json as arrow_json

from harness.rundir import RunDir
from harness.rundir.history import MAIL_SCHEMA
from harness.runtime import NodeFailed, Runtime
from topology.map import Map, Node

#: What the service's own operator program gives out, see `python -m topology export`.
EXPORTS: Final = ("answers", "broadcasts", "events", "companies", "telegrams")
OUTBOX: Final = "outbox"
#: The journals that each role keeps, one per leg of a mail's way.
JOURNALS: Final = {
    "mail-provider": ("submitted", "relayed"),
    "carrier-mail": ("stored", "noticed"),
    "hosted-smtp": ("accepted",),
    "hosted-archive": ("redelivered",),
    "hosted-mailbox": ("stored", "noticed"),
}
#: Legs of hosted mail, read back where it stands.
HOSTED: Final = ("accepted", "redelivered")
EXPORTER: Final = "mailer"
PATIENCE_S: Final = 60.0


def read_back(runtime: Runtime, topology: Map, run: RunDir) -> None:
    """Fill final/ and mail/. What cannot be read is recorded as an event and left out; checks then say unknown."""
    for what, lines in _Exporters(runtime, topology, run).all((*EXPORTS, OUTBOX)):
        if lines is None:
            continue
        if what == OUTBOX:
            _write_leg(run, "composed", [_composed(lines)])
            continue
        with _stored(run, what):
            (run.path / "final" / f"{what}.jsonl").write_bytes(lines)
            run.record("readback", what=what, rows=lines.count(b"\n"))
    hosted = HOSTED if topology.hosts else ()
    for leg in ("submitted", "relayed", *hosted, "stored", "noticed"):
        tables = [
            _journal(node, text)
            for node in topology
            if leg in JOURNALS.get(node.role, ())
            if (text := _read(runtime, run, node, f"/mnt/data/journal/{leg}.jsonl")) is not None
        ]
        _write_leg(run, leg, tables)


class _Exporters:
    """The nodes that can give the service's state out: those whose region's database takes writes."""

    def __init__(self, runtime: Runtime, topology: Map, run: RunDir) -> None:
        self._runtime, self._run = runtime, run
        self._nodes = list(topology.with_role(EXPORTER))
        self._found = False

    def all(self, wanted: Sequence[str]) -> Iterator[tuple[str, bytes | None]]:
        """Each of them, in this order. Once somebody is known to give out something, two are asked for at a time."""
        first, *others = wanted
        yield first, self.export(first)
        with ThreadPoolExecutor(max_workers=2 if self._found else 1) as pool:
            yield from zip(others, pool.map(self.export, others), strict=True)

    def export(self, what: str) -> bytes | None:
        """From the node that gave something out before; else from the first to answer when all are asked at once."""
        tried: list[str] = []
        if self._found:
            lines, said = self._ask(self._nodes[0], what)
            if lines is not None:
                return lines
            tried.append(said)
        pool = ThreadPoolExecutor(max_workers=max(1, len(self._nodes)))
        asked = {pool.submit(self._ask, node, what): node for node in self._nodes}
        for answer in as_completed(asked):
            lines, said = answer.result()
            if lines is not None:
                pool.shutdown(wait=False)  # the others wait for a database that takes writes, and need not
                best = asked[answer]
                self._nodes = [best, *(node for node in self._nodes if node is not best)]
                self._found = True
                return lines
            tried.append(said)
        pool.shutdown()
        self._run.record("readback.failed", what=what, tried=tried)
        return None

    def _ask(self, node: Node, what: str) -> tuple[bytes | None, str]:
        """What the node gives out, or why it does not."""
        argv = ["python", "-m", "topology", "export", what]
        try:
            done = self._runtime.exec(node, argv, PATIENCE_S)
        except (NodeFailed, TimeoutError) as error:
            return None, str(error)
        if done.status != 0:
            return None, f"{node.name}: {done.stderr.decode(errors='replace')[-300:]}"
        return done.stdout, ""


def _read(runtime: Runtime, run: RunDir, node: Node, path: str) -> bytes | None:
    """A file of the node; empty if it has none."""
    try:
        done = runtime.exec(node, ["sh", "-c", f"test ! -e {path} || cat {path}"], PATIENCE_S)
    except (NodeFailed, TimeoutError) as error:
        run.record("readback.failed", what=path, tried=[str(error)])
        return None
    return done.stdout


def _journal(node: Node, text: bytes) -> pa.Table:
    whole = text[: text.rfind(b"\n") + 1]  # a crash tears at most the last line
    if not whole:
        return MAIL_SCHEMA.empty_table()
    schema = pa.schema([field for field in MAIL_SCHEMA if field.name != "node"])
    options = arrow_json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore")
    rows = arrow_json.read_json(io.BytesIO(whole), parse_options=options)
    names = pa.array([node.name] * rows.num_rows, pa.string())
    return rows.add_column(3, "node", names).cast(MAIL_SCHEMA)


def _composed(lines: bytes) -> pa.Table:
    rows = list(_outbox_rows(lines))
    return pa.Table.from_pylist(rows, MAIL_SCHEMA) if rows else MAIL_SCHEMA.empty_table()


def _outbox_rows(lines: bytes) -> Iterator[dict[str, str | int]]:
    for line in lines.splitlines():
        row = json.loads(line)
        result = "queued" if row["sent_at_ns"] is None else "sent"
        yield {"id": row["id"], "to": row["to"], "at_ns": row["at_ns"], "node": "outbox", "result": result}


def _write_leg(run: RunDir, leg: str, tables: list[pa.Table]) -> None:
    table = pa.concat_tables([MAIL_SCHEMA.empty_table(), *tables])
    with _stored(run, f"mail/{leg}"):
        with (
            pa.OSFile(str(run.path / "mail" / f"{leg}.arrow"), "wb") as file,
            pa.ipc.new_stream(file, MAIL_SCHEMA) as out,
        ):
            out.write_table(table)
        run.record("readback", what=f"mail/{leg}", rows=table.num_rows)


@contextmanager
def _stored(run: RunDir, what: str) -> Iterator[None]:
    """A disk that has no room for it is recorded; the run goes on."""
    try:
        yield
    except OSError as error:
        run.record("readback.failed", what=what, tried=[str(error)])
