"""What happened, told from the events and the undo journal; and how to make it happen again."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from harness.rundir import Event, Json
from reports import statements
from reports.faults import Fault
from reports.names import Names
from reports.reading import Record
from reports.words import Words, number


@dataclass(frozen=True)
class Line:
    """One event: seconds since the timeline began, drill time, what, and the rest as words. `weight` picks its look."""

    at: str
    drill: str
    kind: str
    text: str
    weight: str


@dataclass(frozen=True)
class FaultRow:
    label: str
    nodes: str
    began: str
    undone: str
    seen: str
    effect: str
    effect_said: str
    proof: str
    heard: str = ""


@dataclass(frozen=True)
class Death:
    """A node that ended without being told to, and the last it said."""

    node: str
    at: str
    log: tuple[str, ...]


@dataclass(frozen=True)
class Reproduction:
    """Everything that a second run of the same needs."""

    command: str
    facts: tuple[tuple[str, str], ...]
    versions: tuple[tuple[str, str], ...]

    @property
    def identity(self) -> tuple[tuple[str, str], ...]:
        """The facts that tell this run from others: what, when, with which seed, where."""
        return tuple(self.facts[:4])


def lines(record: Record, words: Words) -> list[Line]:
    return [
        Line(
            f"{record.seconds(event.at_ns):+.3f}",
            words.clock(record.seconds(event.at_ns) * record.scale) if record.began else "",
            event.kind,
            "  ".join(f"{key}={_short(value)}" for key, value in event.data.items()),
            _weight(event),
        )
        for event in record.events
    ]


_TROUBLE: Final = (
    "node.died", "run.interrupted", "run.failed", "run.mishap", "readback.failed", "hold.skipped",
    "rehearsal.abandoned",
)  # fmt: skip


def _weight(event: Event) -> str:
    if event.kind.startswith("fault.") or event.kind in _TROUBLE:
        return "fault"
    return "quiet" if event.kind.startswith(("node.", "readback")) else "plain"


def undo_lines(record: Record) -> list[Line]:
    """The journal of how each fault would be taken back, as it was on disk before the fault."""
    told = []
    for row in record.undos:
        at_ns = row.get("at_ns")
        at = f"{record.seconds(at_ns):+.3f}" if isinstance(at_ns, int) else ""
        rest = {key: value for key, value in row.items() if key not in ("at_ns", "fault")}
        text = "  ".join(f"{key}={_short(value)}" for key, value in rest.items())
        told.append(Line(at, "", str(row.get("fault", "")), text, "plain"))
    return told


def fault_rows(record: Record, faults: list[Fault], names: Names, words: Words) -> list[FaultRow]:
    rows = []
    for fault in faults:
        undone = (
            words("fault.not_undone") if fault.until_s is None else _instant(record, words, fault.until_s)
        )
        seen = "" if fault.restored is None else words("fault.seen" if fault.restored else "fault.unseen")
        rows.append(
            FaultRow(
                names.fault(fault),
                ", ".join(fault.nodes),
                _instant(record, words, fault.from_s),
                undone,
                seen,
                fault.effect,
                words.known(f"effect.{fault.effect}", fault.effect),
                *_seen(fault, words),
            )
        )
    return rows


def _seen(fault: Fault, words: Words) -> tuple[str, str]:
    """What was seen of it, and how the record says that, where it had to be put in other words."""
    statement = (
        statements.of_fault(fault.verb, words) if words.lang != "en" and fault.effect == "proven" else ""
    )
    return (statement, fault.proof) if statement else (fault.proof, "")


def _instant(record: Record, words: Words, at_s: float) -> str:
    drill = words.clock(at_s * record.scale)
    return words("instant", seconds=f"{at_s:.2f}", drill=drill) if record.began else words.value("at_s", at_s)


def deaths(record: Record) -> list[Death]:
    found = []
    for event in record.events:
        if event.kind == "node.died":
            log = event.data.get("log")
            told = tuple(str(line) for line in log) if isinstance(log, list) else (str(log),) if log else ()
            found.append(Death(str(event.data.get("node", "")), f"{record.seconds(event.at_ns):+.2f}", told))
    return found


def ending(record: Record, words: Words) -> str:
    """One sentence where the run did not come to its own end; empty where it did."""
    last = {event.kind: event for event in record.events}
    if "run.interrupted" in last:
        return words("ending.interrupted", why=last["run.interrupted"].data.get("why") or "")
    if "run.failed" in last:
        return words("ending.failed", why=last["run.failed"].data.get("why") or "")
    if "run.ended" not in last:
        return words("ending.killed")
    return ""


def unproven(faults: list[Fault], names: Names, words: Words) -> str:
    """One sentence on the first fault that was never seen to take effect; empty where all were."""
    doubtful = next((fault for fault in faults if fault.effect != "proven"), None)
    return words("why.unproven", what=names.fault(doubtful)) if doubtful else ""


def reproduction(record: Record, words: Words) -> Reproduction:
    started = next((event.data for event in record.events if event.kind == "run.started"), {})
    verdict = record.verdict or {}

    def told(key: str) -> Json:
        return next(
            (source[key] for source in (record.plan, verdict, started) if source.get(key) is not None), None
        )

    scenario, seed, runtime = scenario_name(record), told("seed"), told("runtime")
    argv = ["harness", "run", scenario]
    for override in _overrides(record.plan):
        argv += ["--with", Path(override).stem if Path(override).parent.name == "defects" else override]
    argv += ["--runtime", str(runtime)] if runtime is not None else []
    argv += ["--seed", str(seed)] if seed is not None else []
    workers = told("workers")
    argv += ["--workers", str(workers)] if isinstance(workers, int) and workers > 1 else []
    compose = told("topology")
    began = record.clock.wall(record.origin_ns) if record.clock else None
    facts = {
        "scenario": scenario,
        "seed": seed,
        "runtime": runtime,
        "began": began.strftime("%Y-%m-%d %H:%M:%S UTC") if began else None,
        "topology": Path(compose).name if isinstance(compose, str) else None,
        "clock": number(record.scale),
    }
    rows = [(words(f"reproduce.{key}"), _short(value)) for key, value in facts.items() if value is not None]
    versions = told("versions")
    pairs = versions.items() if isinstance(versions, dict) else ()
    return Reproduction(shlex.join(argv), tuple(rows), tuple((name, _short(value)) for name, value in pairs))


def scenario_name(record: Record) -> str:
    scenario = record.plan.get("scenario")
    name = scenario.get("name") if isinstance(scenario, dict) else scenario
    return str(name or (record.verdict or {}).get("scenario") or record.path.parent.name)


def _overrides(plan: Mapping[str, Json]) -> list[str]:
    found = plan.get("overrides")
    return [str(name) for name in found] if isinstance(found, list) else []


def _short(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
