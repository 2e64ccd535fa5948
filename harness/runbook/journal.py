"""runbooks.jsonl: how far every performance of a runbook came. On disk before a command is carried out.

One object a line: `id` (of the performance), `what` (a key of `WHAT`), when, and what there is to say.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from harness.runbook.model import Runbook, Step
from harness.rundir import Json, RunDir, read_jsonl

FILE: Final = "runbooks.jsonl"
#: How a performance ends: every step proven; a step that failed; stopped between two steps; nobody knows.
PROVEN, FAILED, INTERRUPTED, UNKNOWN = "proven", "failed", "interrupted", "unknown"


class Journal:
    """Writes down, as events of the run and on disk, what a performance does. Safe from several threads."""

    def __init__(self, run: RunDir) -> None:
        self._run = run
        self._lock = threading.Lock()

    def started(self, name: str, runbook: Runbook, first: str) -> None:
        steps: list[Json] = [
            {
                "step": step.name,
                "title": {"en": step.title.en, "ja": step.title.ja},
                "within_s": step.within.s,
                "hold": step.hold,
                "role": step.role.data() if step.role else None,
            }
            for step in runbook.steps
        ]
        title = {"en": runbook.title.en, "ja": runbook.title.ja}
        arguments = dict(runbook.arguments)
        self._note(
            "runbook.started",
            name,
            runbook=runbook.name,
            title=title,
            arguments=arguments,
            steps=steps,
            first=first,
        )

    def step(self, what: str, name: str, runbook: Runbook, step: Step, **more: Json) -> None:
        """`what`: started | done | proven | failed | stopped. Started says `role` and `by`: who did it, and as what."""
        number = runbook.steps.index(step) + 1
        self._note(f"step.{what}", name, runbook=runbook.name, step=step.name, number=number, **more)

    def skipped(self, name: str, runbook: Runbook, hold: Step, state: str, step: str, by: str) -> None:
        """`step` was begun by somebody behind a hold point that was not proven then; `state` says how far that was."""
        self._note("hold.skipped", name, runbook=runbook.name, hold=hold.name, state=state, step=step, by=by)

    def ended(self, name: str, runbook: Runbook, outcome: str, step: str, why: str) -> None:
        self._note("runbook.ended", name, runbook=runbook.name, outcome=outcome, step=step, why=why)

    def _note(self, kind: str, name: str, **data: Json) -> None:
        event = self._run.record(kind, performance=name, **data)
        wall = datetime.now(UTC).isoformat(timespec="milliseconds")
        row = {"at_ns": event.at_ns, "at": wall, "kind": kind, "performance": name, **data}
        line = json.dumps(row, ensure_ascii=False).encode() + b"\n"
        with self._lock, (self._run.path / FILE).open("ab", buffering=0) as file:
            file.write(line)
            os.fsync(file.fileno())


@dataclass
class Performed:
    """One performance, as its lines tell it. `outcome` is "" while it goes on, or if it was cut off.

    `proven`: steps of it, and those before its first that the performance before it had proven; `passed` are the others
    before its first.
    `reached`: the step it is at, or stopped at; `why` is what was last said of it. `skipped`: hold points that were not
    proven when a later step was begun, and have not been since.
    """

    name: str
    runbook: str
    arguments: Mapping[str, str]
    steps: list[str]
    proven: list[str] = field(default_factory=list)
    passed: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    reached: str = ""
    outcome: str = ""
    why: str = ""
    at: str = ""
    at_ns: int = 0

    @property
    def next(self) -> str | None:
        """The step to go on with; None if all are proven that were not passed over."""
        over = {*self.proven, *self.passed}
        return next((step for step in self.steps if step not in over), None)

    def same(self, runbook: str, arguments: Mapping[str, str]) -> bool:
        """Whether it was of that runbook with these arguments."""
        return self.runbook == runbook and dict(self.arguments) == dict(arguments)


def performances(run: Path) -> list[Performed]:
    """Every performance of a run directory, oldest first. What a crash tore off is not there."""
    found: dict[str, Performed] = {}
    for row in read_jsonl(run / FILE):
        name, kind = str(row.get("performance")), row.get("kind")
        if kind == "runbook.started":
            found[name] = _started(name, row, list(found.values()))
        if (one := found.get(name)) is None:
            continue
        one.at, one.at_ns = str(row.get("at", "")), _whole(row.get("at_ns"))
        step = str(row.get("step", ""))
        if kind == "step.started":
            one.reached, one.why = step, ""
        elif kind == "step.proven":
            one.proven.append(step)
            one.skipped = [hold for hold in one.skipped if hold != step]
        elif kind == "hold.skipped":
            one.skipped.append(str(row.get("hold")))
        elif kind == "step.failed":
            one.reached, one.why = step, str(row.get("why", ""))
        elif kind == "runbook.ended":
            one.outcome, one.why = str(row.get("outcome")), str(row.get("why", "")) or one.why
            one.reached = step or one.reached
    return list(found.values())


def _started(name: str, row: Mapping[str, Json], earlier: Sequence[Performed]) -> Performed:
    steps, arguments = row.get("steps"), row.get("arguments")
    names = [str(step["step"]) for step in steps if isinstance(step, dict)] if isinstance(steps, list) else []
    told = {key: str(value) for key, value in arguments.items()} if isinstance(arguments, Mapping) else {}
    performed = Performed(name, str(row.get("runbook")), told, names)
    first = str(row.get("first") or "")
    if first in names:  # what comes before it was proven before, or is passed over
        last = next((one for one in reversed(earlier) if one.same(performed.runbook, told)), None)
        before = names[: names.index(first)]
        performed.proven = [step for step in before if last is not None and step in last.proven]
        performed.passed = [step for step in before if step not in performed.proven]
    return performed


def _whole(value: Json) -> int:
    return value if isinstance(value, int) else 0


def unproven_holds(run: Path, runbook: Runbook, first: str | None) -> tuple[Step, ...]:
    """The hold points before the step `first` that the last performance of the same runbook left unproven."""
    names = [step.name for step in runbook.steps]
    last = _last(run, runbook)
    proven = set(last.proven) - set(last.skipped) if last is not None else set()
    before = runbook.steps[: names.index(first)] if first else ()
    return tuple(step for step in before if step.hold and step.name not in proven)


def left_off(run: Path, runbook: Runbook) -> str | None:
    """The step at which the same runbook, with the same arguments, stopped the last time; None if it did not."""
    last = _last(run, runbook)
    if last is None or last.outcome == PROVEN:
        return None
    step = last.next
    return step if step in [each.name for each in runbook.steps] else None


def _last(run: Path, runbook: Runbook) -> Performed | None:
    """The last performance of the same runbook with the same arguments."""
    same = [one for one in performances(run) if one.same(runbook.name, runbook.arguments)]
    return same[-1] if same else None
