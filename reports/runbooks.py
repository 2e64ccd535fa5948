"""The runbooks that were performed: each step as planned and as it went, from the events alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from harness.rundir import Event, Json
from reports import statements
from reports.names import Names
from reports.reading import Record
from reports.words import Words

#: What a step or a runbook can have come to -> how it looks. `cut`: the record ends before it did.
TONES: Final[Mapping[str, str]] = {
    "proven": "pass", "failed": "fail", "interrupted": "unknown", "unknown": "unknown", "cut": "unknown",
    "earlier": "none", "unreached": "none",
}  # fmt: skip


@dataclass(frozen=True)
class Step:
    """One step. Times in real seconds; `from_s` and `until_s` since the timeline began, None where it never came to it.

    `depth` counts the runbooks around it; `said` is its proof, or why it has none; `heard` how the record says that,
    where `said` had to be put in other words. `hold`: a hold point; `who` did it, and as what.
    """

    name: str
    title: str
    within_s: float | None
    outcome: str = "unreached"
    from_s: float | None = None
    until_s: float | None = None
    took_s: float | None = None
    said: str = ""
    heard: str = ""
    hold: bool = False
    role: str = ""
    who: str = ""

    @property
    def depth(self) -> int:
        return self.name.count("/")

    @property
    def tone(self) -> str:
        return TONES.get(self.outcome, "unknown")


@dataclass(frozen=True)
class Performance:
    """One performance of a runbook, in its steps' order. `id` is what events and checks call it."""

    id: str
    title: str
    name: str
    arguments: str
    outcome: str
    from_s: float
    until_s: float | None
    why: str
    steps: tuple[Step, ...]

    @property
    def tone(self) -> str:
        return TONES.get(self.outcome, "unknown")

    @property
    def planned_s(self) -> float:
        return sum(step.within_s or 0.0 for step in self.steps)


def performances(record: Record, names: Names, words: Words) -> list[Performance]:
    """Every performance of the run, in the order in which they began."""
    told: dict[str, list[Event]] = {}
    for event in record.events:
        if event.kind.startswith(("runbook.", "step.")):
            told.setdefault(str(event.data.get("performance", "")), []).append(event)
    return [
        _performance(record, events, names, words)
        for events in told.values()
        if events[0].kind == "runbook.started"
    ]


def _performance(record: Record, events: Sequence[Event], names: Names, words: Words) -> Performance:
    started = events[0].data
    ended = next((event for event in events if event.kind == "runbook.ended"), None)
    planned = _planned(started, names)
    arguments = started.get("arguments")
    pairs = arguments.items() if isinstance(arguments, dict) else ()
    return Performance(
        id=str(started.get("performance", "")),
        title=names.title(started.get("title"), str(started.get("runbook", ""))),
        name=str(started.get("runbook", "")),
        arguments=words("join.comma").join(
            words(
                "runbooks.argument",
                name=words.known(f"parameter.{key}", str(key)),
                value=names.region(str(value)),
            )
            for key, value in pairs
        ),
        outcome=_outcome(ended),
        from_s=record.seconds(events[0].at_ns),
        until_s=record.seconds(ended.at_ns) if ended else None,
        why=str(ended.data.get("why") or "") if ended else "",
        steps=tuple(
            _translated(
                record,
                str(started.get("performance", "")),
                _step(record, step, [e for e in events if e.data.get("step") == step.name], ended),
                names,
                words,
            )
            for step in planned
        ),
    )


def _outcome(ended: Event | None) -> str:
    if ended is None:
        return "cut"
    outcome = str(ended.data.get("outcome"))
    return outcome if outcome in TONES else "unknown"


def _planned(started: Mapping[str, Json], names: Names) -> list[Step]:
    """The steps as the runbook has them; those before the first that is performed were passed over."""
    rows, first = started.get("steps"), started.get("first")
    planned = [
        Step(
            str(row.get("step", "")),
            names.title(row.get("title"), str(row.get("step", ""))),
            _number(row),
            hold=row.get("hold") is True,
            role=_role(row.get("role"), names),
        )
        for row in (rows if isinstance(rows, list) else ())
        if isinstance(row, dict)
    ]
    begin = next((number for number, step in enumerate(planned) if step.name == first), 0)
    return [replace(step, outcome="earlier") for step in planned[:begin]] + planned[begin:]


def _role(role: Json, names: Names) -> str:
    return names.title(role.get("title"), str(role.get("name", ""))) if isinstance(role, Mapping) else ""


def _number(row: Mapping[str, Json]) -> float | None:
    value = row.get("within_s")
    return float(value) if isinstance(value, int | float) else None


def _step(record: Record, step: Step, events: Sequence[Event], ended: Event | None) -> Step:
    """From its first attempt until it was proven; if it never was, until its last attempt failed."""
    begun = next((event for event in events if event.kind == "step.started"), None)
    if begun is None:
        return step
    ends = [event for event in events if event.kind in ("step.proven", "step.failed")]
    over = next((event for event in ends if event.kind == "step.proven"), ends[-1] if ends else None)
    step = replace(step, who=str(begun.data.get("by") or ""))
    if over is not None:
        outcome = "proven" if over.kind == "step.proven" else "failed"
        if outcome == "failed" and ended is not None and ended.data.get("outcome") == "unknown":
            outcome = "unknown"
        said = over.data.get("proof" if outcome == "proven" else "why")
    else:
        over = ended
        outcome, said = ("interrupted", ended.data.get("why")) if ended is not None else ("cut", "")
    from_s = record.seconds(begun.at_ns)
    until_s = record.seconds(over.at_ns) if over is not None else None
    took_s = None if until_s is None else until_s - from_s
    return replace(step, outcome=outcome, from_s=from_s, until_s=until_s, took_s=took_s, said=str(said or ""))


def _translated(record: Record, performance: str, step: Step, names: Names, words: Words) -> Step:
    """In another language than the record's: what was to be seen, and whether it was."""
    if words.lang == "en" or not step.said:
        return step
    statement = statements.of_step(record, performance, step.name, names, words)
    if not statement:
        return step
    said = statement if step.outcome == "proven" else words("runbooks.unseen", what=statement)
    return replace(step, said=said, heard=step.said)
