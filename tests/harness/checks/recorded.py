"""Run directories made by hand, one fact at a time, with times in seconds of the timeline."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import yaml

from harness.checks.recording import Recording
from harness.rundir import Clock, Json, RunDir, history
from harness.rundir.history import Operation, Writer

ANCHOR_NS = 5_000_000_000_000
START_NS = ANCHOR_NS + 40_000_000_000
SCALE = 60.0
CARRIERS = ("docomo", "au", "softbank")
BLOCKS = ("maps-msb", "maps-msf")
OCCURS = datetime.fromisoformat("2026-01-15T14:46:00+09:00")
RULE: Mapping[str, Json] = {"areas": [], "least": "5-", "tsunami": True, "special": True, "standing": False}


def ns(at_s: float) -> int:
    return START_NS + round(at_s * 1e9)


class Recorded:
    """Collects what happened; `end` writes it down as a run that came to its end, `cut` as one that was killed."""

    def __init__(self, folder: Path, expect: Mapping[str, Mapping[str, Json]] | None = None) -> None:
        self.run = RunDir.create(folder, "by-hand", 1)
        self._expect = expect or {}
        self._timeline: list[Json] = []
        self._events: list[dict[str, Json]] = []
        self._load: list[Operation] = []
        self._probes: list[Operation] = []
        self._databases: list[tuple[object, ...]] = []
        self._replication: list[tuple[object, ...]] = []
        self._mail: dict[str, list[tuple[object, ...]]] = {}
        self._final: dict[str, list[dict[str, Json]]] = {}
        self._host: list[dict[str, Json]] = []
        self._rehearsal: dict[str, Json] = {}
        self.event(-40, "run.started", scenario="by-hand", seed=1, runtime="local", versions={})
        self.event(0, "timeline.started")

    def event(self, at_s: float, kind: str, **data: Json) -> None:
        self._events.append({"at_ns": ns(at_s), "kind": kind, **data})

    def plan(self, **entry: Json) -> None:
        """An entry of the timeline as it was planned."""
        self._timeline.append(entry)

    def rehearsal(
        self, runbook: str, at_s: float, *, auto: bool = False, performance: str = "rehearsal"
    ) -> None:
        """A runbook that is rehearsed, from then on by its plan."""
        planned = {"runbook": {"name": runbook}, "performance": performance, "at_s": at_s, "auto": auto}
        self._rehearsal = {"rehearsal": planned}

    def fault(
        self,
        name: str,
        at_s: float,
        undone_s: float | None = None,
        *,
        proven: bool = True,
        took_s: float = 0.0,
        nodes: Sequence[str] = ("web-a1",),
    ) -> None:
        verb = name.partition("-")[2]
        self.event(
            at_s - took_s, "fault.injecting", fault=name, verb=verb, target={"zone": "a"}, nodes=list(nodes)
        )
        self.event(at_s, "fault.injected", fault=name)
        effect = "proven" if proven else "unproven"
        self.event(at_s + 0.4, "fault.proven", fault=name, effect=effect, proof="web-a1 was asked")
        if undone_s is not None:
            self.event(undone_s, "fault.undoing", fault=name)
            self.event(undone_s + 0.1, "fault.undone", fault=name)

    def publish(
        self,
        at_s: float,
        event: str,
        areas: Mapping[str, Json],
        *,
        kind: str = "VXSE51",
        info: str = "発表",
        status: str = "通常",
    ) -> None:
        """`at_s` is when it is handed over, and when the agency says that it said so."""
        serial = 1 + len(self._timeline)
        told: dict[str, Json] = {"event_id": event, "info": info, "status": status, "serial": serial}
        reported = (OCCURS + timedelta(seconds=at_s)).isoformat()
        telegram: dict[str, Json] = {**told, "kind": kind, "reported": reported, "areas": dict(areas)}
        self._timeline.append({"verb": "publish", "telegram": telegram})
        self.event(at_s, "published", what=event, **told)

    def answer(self, person: int, value: int, at_s: float, outcome: str = "ok", took_s: float = 0.02) -> None:
        self._load.append(operation("answer", person, value, at_s, took_s, outcome))

    def look(
        self,
        person: int,
        value: int,
        at_s: float,
        took_s: float = 0.02,
        *,
        outcome: str = "ok",
        detail: str | None = None,
    ) -> None:
        self._load.append(operation("look", person, value, at_s, took_s, outcome, detail=detail))

    def probe(
        self,
        kind: str,
        at_s: float,
        took_s: float = 0.02,
        outcome: str = "ok",
        *,
        vantage: str = "docomo",
        detail: str | None = None,
        lag_s: float = 0.0,
        person: int = 0,
        value: int = 0,
    ) -> None:
        self._probes.append(
            operation(kind, person, value, at_s, took_s, outcome, vantage=vantage, detail=detail, lag_s=lag_s)
        )

    def probes(
        self,
        kind: str,
        until_s: float,
        serve: Callable[[float], tuple[float, str]] = lambda at_s: (0.02, "ok"),
        *,
        from_s: float = -5.0,
        vantage: str = "docomo",
    ) -> None:
        """Ten probes a second; `serve` says how long one takes and what comes of it."""
        for tick in range(round((until_s - from_s) * 10)):
            at_s = from_s + tick / 10
            took_s, outcome = serve(at_s)
            self.probe(
                kind, at_s, took_s, outcome, vantage=vantage, detail=None if outcome == "ok" else "timeout"
            )

    def database(
        self, at_s: float, node: str, role: str, *, wrote: bool = False, timeline: int = 1, leader: str = ""
    ) -> None:
        self._databases.append((ns(at_s), node, role, timeline, wrote, leader))

    def replicated(
        self, at_s: float, node: str, region: str, acknowledged_s: float, shown_s: float | None
    ) -> None:
        """A database node shows the writes until then, of those until then acknowledged; None: no answer."""
        shown_ns = ns(shown_s) if shown_s is not None else 0
        self._replication.append((ns(at_s), node, region, ns(acknowledged_s), shown_ns))

    def mail(self, leg: str, number: str, to: str, at_s: float, result: str = "ok") -> None:
        self._mail.setdefault(leg, []).append((number, to, ns(at_s), leg, result))

    def host(self, at_s: float, **figures: Json) -> None:
        self._host.append({"at_ns": ns(at_s), **figures})

    def final(self, name: str, *rows: Mapping[str, Json]) -> None:
        self._final.setdefault(name, []).extend(dict(row) for row in rows)

    def end(self, at_s: float = 100.0, *, drained: bool = True) -> Recording:
        """A run that came to its end; every leg of the mail was read back, even if nothing was on it."""
        self.event(at_s, "timeline.ended")
        self.event(at_s + 1, "quiet", seconds=1.0, drained=drained, why="")
        for leg in ("composed", "submitted", "relayed", "stored", "noticed"):
            rows = self._mail.setdefault(leg, [])
            self.event(at_s + 2, "readback", what=f"mail/{leg}", rows=len(rows))
        for name, found in self._final.items():
            self.event(at_s + 2, "readback", what=name, rows=len(found))
        self.event(at_s + 3, "run.ended", clean=True)
        return self.cut()

    def cut(self) -> Recording:
        """Written down as it is."""
        plan = {
            "scenario": {"name": "by-hand"},
            "seed": 1,
            "timeline": self._timeline,
            "expect": self._expect,
            **self._rehearsal,
        }
        self.run.write("plan.yaml", yaml.safe_dump(plan, allow_unicode=True))
        self.run.clock = Clock(ANCHOR_NS, "2026-01-15T05:46:00+00:00", SCALE, START_NS)
        lines(self.run.path / "events.jsonl", sorted(self._events, key=lambda row: int(str(row["at_ns"]))))
        lines(self.run.path / "host.jsonl", self._host)
        operations(self.run.path / "history" / "load.arrow", self._load)
        operations(self.run.path / "probes" / "probes.arrow", self._probes)
        table(self.run.path / "databases.arrow", history.DATABASE_SCHEMA, self._databases)
        table(self.run.path / "replication.arrow", history.REPLICATION_SCHEMA, self._replication)
        for leg, rows in self._mail.items():
            table(self.run.path / "mail" / f"{leg}.arrow", history.MAIL_SCHEMA, rows)
        for name, found in self._final.items():
            lines(self.run.path / "final" / f"{name}.jsonl", found)
        return Recording(self.run)


def operation(
    kind: str,
    person: int,
    value: int,
    at_s: float,
    took_s: float,
    outcome: str,
    *,
    vantage: str = "docomo",
    detail: str | None = None,
    lag_s: float = 0.0,
) -> Operation:
    intended, invoked, completed = ns(at_s), ns(at_s + lag_s), ns(at_s + max(took_s, lag_s))
    return Operation(person, kind, person, value, intended, invoked, completed, outcome, vantage, "a", detail)


def company(number: int, people: int, **rule: Json) -> dict[str, Json]:
    """A row of final/companies.jsonl."""
    return {"company": number, "name": f"Company {number}", "people": people, **RULE, **rule}


def answered(person: int, value: int, **more: Json) -> dict[str, Json]:
    """A row of final/answers.jsonl."""
    return {"person": person, "company": 1, "status": "safe", "come": "yes", "comment": str(value), **more}


def operations(path: Path, rows: list[Operation]) -> None:
    writer = Writer(path, vantages=[*CARRIERS, "observers", *BLOCKS], endpoints=["a", "b"])
    for row in rows:
        writer.add(row)
    writer.close()


def table(path: Path, schema: pa.Schema, rows: list[tuple[object, ...]]) -> None:
    columns = [[row[at] for row in rows] for at in range(len(schema.names))]
    arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, schema) as stream:
        stream.write_table(pa.Table.from_arrays(arrays, schema=schema))


def lines(path: Path, rows: list[dict[str, Json]]) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
