"""Reading the final state back: what the service knows, and what every mail system on the way noted."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Final

import pyarrow as pa
import pyarrow.json as arrow_json

from harness.rundir import RunDir
from harness.rundir.history import MAIL_SCHEMA
from harness.runtime import NodeFailed, Runtime
from topology.map import Map, Node

#: What the service's own operator program gives out, see `python -m topology export`.
EXPORTS: Final = ("answers", "broadcasts", "events", "companies", "telegrams")
#: The journals that each role keeps, one per leg of a mail's way.
JOURNALS: Final = {"mail-provider": ("submitted", "relayed"), "carrier-mail": ("stored", "noticed")}
EXPORTER: Final = "mailer"
PATIENCE_S: Final = 60.0


def read_back(runtime: Runtime, topology: Map, run: RunDir) -> None:
    """Fill final/ and mail/. What cannot be read is recorded as an event and left out; checks then say unknown."""
    for what in EXPORTS:
        if (lines := _export(runtime, topology, run, what)) is not None:
            (run.path / "final" / f"{what}.jsonl").write_bytes(lines)
            run.record("readback", what=what, rows=lines.count(b"\n"))
    if (lines := _export(runtime, topology, run, "outbox")) is not None:
        _write_leg(run, "composed", [_composed(lines)])
    for leg in ("submitted", "relayed", "stored", "noticed"):
        tables = [
            _journal(node, text)
            for node in topology
            if leg in JOURNALS.get(node.role, ())
            if (text := _read(runtime, run, node, f"/mnt/data/journal/{leg}.jsonl")) is not None
        ]
        _write_leg(run, leg, tables)


def _export(runtime: Runtime, topology: Map, run: RunDir, what: str) -> bytes | None:
    """From the first node that can; each is tried once."""
    tried = []
    for node in topology.with_role(EXPORTER):
        try:
            done = runtime.exec(node, ["python", "-m", "topology", "export", what], PATIENCE_S)
        except (NodeFailed, TimeoutError) as error:
            tried.append(str(error))
            continue
        if done.status == 0:
            return done.stdout
        tried.append(f"{node.name}: {done.stderr.decode(errors='replace')[-300:]}")
    run.record("readback.failed", what=what, tried=tried)
    return None


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
    with (
        pa.OSFile(str(run.path / "mail" / f"{leg}.arrow"), "wb") as file,
        pa.ipc.new_stream(file, MAIL_SCHEMA) as out,
    ):
        out.write_table(table)
    run.record("readback", what=f"mail/{leg}", rows=table.num_rows)
