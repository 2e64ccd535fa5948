"""Where a rehearsal left its runbook: hold points that were skipped, steps out of their order, late, or never proven.

    plan      ├─ within ─┤├─ within ─┤        a step is due its planned time after the step before it was proven
    rehearsed ├────────────── late ──┤

Each stands open for a time, and what it cost is what happened to users and mails in that time (see `costs`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from harness.rundir import Event, Json


class Kind(StrEnum):
    """What a deviation is."""

    SKIPPED = "skipped"  # a hold point that was not proven when a later step was begun
    DISORDER = "out of order"  # a step that was begun after a later one, or never
    LATE = "late"  # proven later than planned
    UNDONE = "not proven"  # at the end


@dataclass(frozen=True)
class Attempt:
    """One attempt at a step: by whom, from when until when, and what it came to; None and "" for what has no end."""

    by: str
    begun_ns: int
    ended_ns: int | None = None
    result: str = ""
    says: str = ""


@dataclass(frozen=True)
class Taken:
    """A step as it was planned, and every attempt at it."""

    name: str
    title: Json
    role: Json
    hold: bool
    within_s: float
    attempts: tuple[Attempt, ...] = ()

    @property
    def begun_ns(self) -> int | None:
        return self.attempts[0].begun_ns if self.attempts else None

    @property
    def proven_ns(self) -> int | None:
        """When it was for the first time."""
        return next((each.ended_ns for each in self.attempts if each.result == "proven"), None)

    def proven_by(self, at_ns: int) -> bool:
        return self.proven_ns is not None and self.proven_ns <= at_ns


@dataclass(frozen=True)
class Deviation:
    """One of them. It stands open from `from_ns` until `until_ns`: until it was put right if it `ended`, else until the
    rehearsal was over. `behind`: the later step that was begun meanwhile.
    """

    kind: Kind
    step: str
    from_ns: int
    until_ns: int
    ended: bool
    behind: str = ""


def taken(planned: Sequence[Event], performance: str) -> list[Taken]:
    """The steps of a performance, from its events. Raises nothing for what a crash left out."""
    own = [event for event in planned if event.data.get("performance") == performance]
    started = next((event for event in own if event.kind == "runbook.started"), None)
    rows = started.data.get("steps") if started is not None else None
    return [
        Taken(
            name=str(row.get("step")),
            title=row.get("title"),
            role=row.get("role"),
            hold=row.get("hold") is True,
            within_s=float(within) if isinstance(within := row.get("within_s"), int | float) else 0.0,
            attempts=tuple(_attempts([event for event in own if event.data.get("step") == row.get("step")])),
        )
        for row in (rows if isinstance(rows, list) else ())
        if isinstance(row, dict)
    ]


def _attempts(events: Sequence[Event]) -> Iterator[Attempt]:
    begun: Event | None = None
    for event in events:
        if event.kind == "step.started":
            begun = event
        elif begun is not None and event.kind in ("step.proven", "step.failed", "step.stopped"):
            says = str(event.data.get("proof") or event.data.get("why") or "")
            result = event.kind.removeprefix("step.")
            yield Attempt(str(begun.data.get("by", "")), begun.at_ns, event.at_ns, result, says)
            begun = None
    if begun is not None:
        yield Attempt(str(begun.data.get("by", "")), begun.at_ns)


def deviations(steps: Sequence[Taken], due_ns: int, ended_ns: int) -> list[Deviation]:
    """All, in the order of the runbook. `due_ns`: when the first step was to begin; `ended_ns`: when it was over.

    A step that was passed over is not late, too. Only the first of those that nobody came to any more stands open.
    """
    found: list[Deviation] = []
    open_end = False
    for number, step in enumerate(steps):
        if (passed := _passed_over(step, steps[number + 1 :], ended_ns)) is not None:
            found.append(passed)
            continue
        before = [each.proven_ns for each in steps[:number] if each.proven_ns is not None]
        start_ns = max([due_ns, *(at_ns for at_ns in before if at_ns <= (step.proven_ns or ended_ns))])
        planned_ns = min(start_ns + round(step.within_s * 1e9), ended_ns)
        if step.proven_ns is None:
            found.append(
                Deviation(Kind.UNDONE, step.name, ended_ns if open_end else planned_ns, ended_ns, False)
            )
            open_end = True
        elif step.proven_ns > planned_ns:
            found.append(Deviation(Kind.LATE, step.name, planned_ns, step.proven_ns, True))
    return found


def _passed_over(step: Taken, later: Sequence[Taken], ended_ns: int) -> Deviation | None:
    """The first later step that was begun too early for this one: for a hold point before it was proven, for any other
    before it was begun.
    """
    begun = [(each.begun_ns, each.name) for each in later if each.begun_ns is not None]
    if not begun:
        return None
    first_ns, behind = min(begun)
    kind = Kind.SKIPPED if step.hold else Kind.DISORDER
    in_time = (
        step.proven_by(first_ns) if step.hold else step.begun_ns is not None and step.begun_ns <= first_ns
    )
    if in_time:
        return None
    until_ns = step.proven_ns if step.proven_ns is not None else ended_ns
    return Deviation(kind, step.name, first_ns, until_ns, step.proven_ns is not None, behind)
