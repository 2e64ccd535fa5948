"""A run directory as a report needs it: everything there is, and a word on everything there is not.

A run may have been killed at any moment, so every part may be missing or torn. Reading never fails for that; what was
missing stands in `Record.gaps`, and the report says so where the part would have been.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, cast

import pyarrow as pa

from harness.rundir import Clock, Event, Json, RunDir, history, read_jsonl
from topology import map as topology

MAIL_LEGS = ("composed", "submitted", "relayed", "stored", "noticed", "opened")

T = TypeVar("T")


@dataclass(frozen=True)
class Gap:
    """Something a report wanted and the run directory has not. `problem` is a key of the texts: absent | unreadable."""

    file: str
    problem: str


@dataclass(frozen=True)
class Record:
    """One run as it was recorded. Tables may be empty; `gaps` says why."""

    name: str
    path: Path
    clock: Clock | None
    plan: Mapping[str, Json]
    verdict: Mapping[str, Json] | None
    topology: topology.Map | None
    events: Sequence[Event]
    undos: Sequence[Mapping[str, Json]]
    host: Sequence[Mapping[str, Json]]
    load: pa.Table
    probes: pa.Table
    databases: pa.Table
    replication: pa.Table
    backups: Sequence[Mapping[str, Json]]
    mail: Mapping[str, pa.Table]
    final: Mapping[str, Sequence[Mapping[str, Json]]]
    gaps: tuple[Gap, ...] = field(default=())

    @property
    def began(self) -> bool:
        """Whether the timeline was ever started."""
        return self.clock is not None and self.clock.start_ns > 0

    @property
    def regions(self) -> tuple[str, ...]:
        """The service's regions that stood in this run, in the topology's order; none where nobody knows."""
        return self.topology.service_regions if self.topology else ()

    @property
    def origin_ns(self) -> int:
        """The zero of every time in the report: when the timeline began; failing that, the first thing recorded."""
        if self.clock is not None and self.clock.start_ns > 0:
            return self.clock.start_ns
        if self.events:
            return self.events[0].at_ns
        return self.clock.anchor_ns if self.clock else 0

    @property
    def scale(self) -> float:
        """Drill seconds to a real second; 1 where nobody knows."""
        return self.clock.scale if self.clock and self.clock.scale > 0 else 1.0

    def finding(self, check: str) -> Mapping[str, Json]:
        """What verdict.json has of a check; nothing where it has not been run."""
        return inside(inside(self.verdict or {}, "checks"), check)

    def detail(self, check: str) -> Mapping[str, Json]:
        """Of a check, what decides nothing and is drawn."""
        return inside(self.finding(check), "detail")

    def seconds(self, at_ns: int) -> float:
        """Real seconds since `origin_ns`."""
        return (at_ns - self.origin_ns) / 1e9


def read(run: RunDir) -> Record:
    """All of a run directory. Raises nothing for what is missing or torn."""
    reader = _Reader(run.path)
    places = reader.take("topology.yml", lambda: topology.read(run.path / "topology.yml"))
    several = places is not None and len(places.service_regions) > 1
    return Record(
        name=run.name,
        path=run.path,
        clock=reader.take("clock.json", lambda: run.clock),
        plan=reader.take("plan.yaml", lambda: run.plan) or {},
        verdict=reader.take("verdict.json", reader.verdict),
        topology=places,
        events=reader.take("events.jsonl", run.events) or (),
        undos=run.undos(),
        host=reader.take("host.jsonl", lambda: list(read_jsonl(run.path / "host.jsonl"))) or (),
        load=reader.table("history", history.SCHEMA),
        probes=reader.table("probes", history.SCHEMA),
        databases=reader.table("databases.arrow", history.DATABASE_SCHEMA),
        replication=reader.table("replication.arrow", history.REPLICATION_SCHEMA, wanted=several),
        backups=reader.backups(wanted=places is not None and bool(places.with_role("backup"))),
        mail={
            leg: reader.table(f"mail/{leg}.arrow", history.MAIL_SCHEMA, wanted=leg != "opened")
            for leg in MAIL_LEGS
        },
        final=reader.final(),
        gaps=tuple(reader.gaps),
    )


class _Reader:
    """Reads one part after the other and keeps the gaps."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.gaps: list[Gap] = []

    def take(self, file: str, parse: Callable[[], T]) -> T | None:
        """What `parse` makes of a file; None, and a gap, where the file is missing or torn."""
        if not (self._path / file).exists():
            self.gaps.append(Gap(file, "absent"))
            return None
        try:
            return parse()
        except Exception:  # a torn file can break a parser in any way; the report must come all the same
            self.gaps.append(Gap(file, "unreadable"))
            return None

    def table(self, file: str, schema: pa.Schema, *, wanted: bool = True) -> pa.Table:
        """The rows of a stream; where it is not `wanted`, that there are none is no gap."""
        path = self._path / file
        if not path.exists() or (path.is_file() and not path.stat().st_size):
            self.gaps += [Gap(file, "absent")] if wanted else []
            return schema.empty_table()
        try:
            table = history.read(path, schema)
        except (OSError, ValueError):
            self.gaps.append(Gap(file, "unreadable"))
            return schema.empty_table()
        if wanted and not table.num_rows and not any(gap.file == file for gap in self.gaps):
            self.gaps.append(Gap(file, "empty"))
        return table

    def verdict(self) -> Mapping[str, Json]:
        return _mapping(json.loads((self._path / "verdict.json").read_text(encoding="utf-8")))

    def backups(self, *, wanted: bool) -> Sequence[Mapping[str, Json]]:
        """What the backup nodes told during the run."""
        file = "backups/observed.jsonl"
        rows = list(read_jsonl(self._path / file))
        if wanted and not rows:
            self.gaps.append(Gap(file, "empty" if (self._path / file).exists() else "absent"))
        return rows

    def final(self) -> Mapping[str, Sequence[Mapping[str, Json]]]:
        found = {path.stem: list(read_jsonl(path)) for path in sorted((self._path / "final").glob("*.jsonl"))}
        if not found:
            self.gaps.append(Gap("final", "absent"))
        return found


def inside(whole: Mapping[str, Json], name: str) -> Mapping[str, Json]:
    """A mapping in a mapping; nothing where there is none."""
    found = whole.get(name)
    return found if isinstance(found, dict) else {}


def _mapping(value: Any) -> Mapping[str, Json]:
    if not isinstance(value, dict):
        raise ValueError("not a mapping")
    return cast(Mapping[str, Json], value)
