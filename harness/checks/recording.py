"""A run directory as the checks read it: every part parsed once, and what is missing told apart from what is empty."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.json as arrow_json

from harness.rundir import Clock, Event, Json, RunDir, history, read_jsonl
from topology import map as topology
from topology.document import BadInput


@dataclass(frozen=True)
class Fault:
    """One fault as it was recorded. Times are None for what was never reached.

    `effect` is "proven", "unproven", or "not injected" where the injection never ended; `proof` says how that is known.
    """

    id: str
    verb: str
    target: Json
    nodes: tuple[str, ...]
    injecting_ns: int
    injected_ns: int | None
    undoing_ns: int | None
    undone_ns: int | None
    effect: str
    proof: str

    @property
    def at_ns(self) -> int:
        """The fault's time: when it was in force; when its injection began, if nobody knows that."""
        return self.injected_ns if self.injected_ns is not None else self.injecting_ns


class Recording:
    """A run directory, read only."""

    def __init__(self, run: RunDir) -> None:
        self.run = run

    @cached_property
    def events(self) -> tuple[Event, ...]:
        return tuple(self.run.events())

    def first(self, kind: str) -> Event | None:
        return next((event for event in self.events if event.kind == kind), None)

    @cached_property
    def plan(self) -> Mapping[str, Json]:
        """What was planned; empty for a run that never wrote it whole."""
        try:
            return self.run.plan
        except (OSError, BadInput):
            return {}

    @cached_property
    def topology(self) -> topology.Map | None:
        """What stood where; None for a run that never wrote it whole."""
        try:
            return topology.read(self.run.path / "topology.yml")
        except (OSError, BadInput):
            return None

    def stated(self, check: str) -> Mapping[str, Json]:
        """What the scenario expects of a check, in SI units."""
        expect = self.plan.get("expect")
        stated = expect.get(check) if isinstance(expect, dict) else None
        return stated if isinstance(stated, dict) else {}

    @cached_property
    def clock(self) -> Clock:
        """The run's clock; for a run that was cut before it had one, a clock that starts with its first event."""
        try:
            clock = self.run.clock
        except (OSError, ValueError):
            clock = Clock(0, "1970-01-01T00:00:00+00:00", 1.0)
        if clock.start_ns:
            return clock
        started = self.first("timeline.started") or next(iter(self.events), None)
        return Clock(
            clock.anchor_ns, clock.anchor_wall, clock.scale, started.at_ns if started else clock.anchor_ns
        )

    def at_s(self, at_ns: int) -> float:
        """Real seconds since the timeline began."""
        return round(self.clock.seconds(at_ns), 3)

    @cached_property
    def whole(self) -> bool:
        """Whether the run came to its own end, and load and probes recorded until they were told to stop."""
        cut_short = ("run.interrupted", "program.died")
        return self.first("run.ended") is not None and not any(self.first(kind) for kind in cut_short)

    @cached_property
    def faults(self) -> tuple[Fault, ...]:
        """Every fault whose injection began, in that order."""
        told: dict[str, dict[str, Event]] = {}
        for event in self.events:
            if event.kind.startswith("fault."):
                told.setdefault(str(event.data.get("fault")), {}).setdefault(event.kind, event)
        return tuple(_fault(name, events) for name, events in told.items() if "fault.injecting" in events)

    # -- tables ------------------------------------------------------------------------------------------------

    @cached_property
    def operations(self) -> pa.Table:
        return history.read(self.run.path / "history")

    @cached_property
    def probes(self) -> pa.Table:
        """In one piece: they are looked through again and again, and were written in thousands of small ones."""
        return history.read(self.run.path / "probes").combine_chunks()

    @cached_property
    def databases(self) -> pa.Table:
        return self._table("databases.arrow", history.DATABASE_SCHEMA)

    @cached_property
    def replication(self) -> pa.Table:
        """Empty where there is one region only."""
        return self._table("replication.arrow", history.REPLICATION_SCHEMA)

    def _table(self, name: str, schema: pa.Schema) -> pa.Table:
        """One file of the run directory; no rows where nothing was written."""
        path = self.run.path / name
        return history.read(path, schema) if _filled(path) else schema.empty_table()

    def mail(self, leg: str) -> pa.Table | None:
        """One leg of all mails; None if it was not read back whole."""
        path = self.run.path / "mail" / f"{leg}.arrow"
        if not _filled(path):
            return None
        table = history.read(path, history.MAIL_SCHEMA)
        return table if self._complete(f"mail/{leg}", table.num_rows) else None

    @cached_property
    def host(self) -> tuple[Mapping[str, Json], ...]:
        return tuple(read_jsonl(self.run.path / "host.jsonl"))

    # -- the final state ---------------------------------------------------------------------------------------

    def final(self, name: str) -> list[dict[str, Json]] | None:
        """Rows of final/<name>.jsonl; None if it was not read back whole."""
        path = self.run.path / "final" / f"{name}.jsonl"
        if not path.exists():
            return None
        rows = list(read_jsonl(path))
        return rows if self._complete(name, len(rows)) else None

    def final_table(self, name: str, columns: Iterable[tuple[str, pa.DataType]]) -> pa.Table | None:
        """The same as `final`, for millions of rows: only these columns. Raises ArrowInvalid for a garbled file."""
        path = self.run.path / "final" / f"{name}.jsonl"
        if not path.exists():
            return None
        schema = pa.schema(list(columns))
        size = _whole_lines(path)
        table = schema.empty_table()
        if size:
            options = arrow_json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore")
            with pa.memory_map(str(path)) as file:
                whole: Any = pa.BufferReader(file.read_buffer(size))
                table = arrow_json.read_json(whole, parse_options=options)
        return table if self._complete(name, table.num_rows) else None

    def _complete(self, what: str, rows: int) -> bool:
        """Whether all nodes that have some of it were read, and as many rows are there as were read.

        Where no number was recorded, a run that came to its end had read them; one that was cut short had not.
        """
        file = f"/{what.removeprefix('mail/')}.jsonl"  # a journal on some node
        told: list[Json] = []
        for event in self.events:
            of = str(event.data.get("what"))
            if event.kind == "readback.failed" and (of == what or of.endswith(file)):
                return False
            if event.kind == "readback" and of == what:
                told.append(event.data.get("rows"))
        return told[-1] == rows if told else self.whole


def _fault(name: str, events: Mapping[str, Event]) -> Fault:
    def at(kind: str) -> int | None:
        return events[kind].at_ns if kind in events else None

    begun = events["fault.injecting"]
    nodes = begun.data.get("nodes")
    proven = events.get("fault.proven")
    effect, proof = "unproven", "nobody looked whether it took effect"
    if "fault.injected" not in events:
        effect, proof = "not injected", "the injection never ended"
    return Fault(
        id=name,
        verb=str(begun.data.get("verb", "")),
        target=begun.data.get("target"),
        nodes=tuple(str(node) for node in nodes) if isinstance(nodes, list) else (),
        injecting_ns=begun.at_ns,
        injected_ns=at("fault.injected"),
        undoing_ns=at("fault.undoing"),
        undone_ns=at("fault.undone"),
        effect=str(proven.data.get("effect", effect)) if proven and effect != "not injected" else effect,
        proof=str(proven.data.get("proof", "")) if proven else proof,
    )


def number(row: Mapping[str, Json], name: str) -> int:
    """A whole number of a row. Raises ValueError for anything else."""
    value = row.get(name)
    if not isinstance(value, int):
        raise ValueError(f"{name} is {value!r}, not a whole number")
    return value


def _whole_lines(path: Path) -> int:
    """How many bytes of a file are whole lines: a crash tears at most the last one."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        while size:
            begin = max(0, size - 65536)
            file.seek(begin)
            found = file.read(size - begin).rfind(b"\n")
            if found >= 0:
                return begin + found + 1
            size = begin
    return 0


def _filled(path: os.PathLike[str]) -> bool:
    return os.path.exists(path) and os.path.getsize(path) > 0
