"""Answers: was anything lost that was acknowledged, was anything old or invented shown; how far back the loss reaches.

Reads the load's history and the probes alike: each person's answer is a register with one writer, see `registers`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pyarrow as pa

from harness.checks.columns import Flags, Ints, ints, is_one_of, numbers, says
from harness.checks.expectations import expectations
from harness.checks.recording import Fault, Recording
from harness.checks.registers import Outcome, Reads, Sent, State, Writes, examine
from harness.checks.terms import Breach, Term, conclude, units, unknown
from harness.rundir import Json
from harness.rundir.verdict import Finding

TERMS: Final = {
    "lost": Term("count", "lost", "at most", "acknowledged answers lost", default=0),
    "stale": Term("count", "stale", "at most", "reads that showed an older answer", default=0),
    "phantom": Term("count", "phantom", "at most", "answers shown that nobody ever sent", default=0),
    "rpo": Term("duration", "rpo_s", "at most", "RPO"),
    "restored": Term("count", "restored", "at least", "times that erased answers were brought back"),
    "restore": Term("duration", "restore_s", "at most", "bringing erased answers back", deadline=True),
    "lost_after_fault": Term(
        "count", "lost_after_fault", "at most", "acknowledged answers lost after the last fault"
    ),
}
EXPECTS: Final = units(TERMS)

MOST_EVIDENCE: Final = 100
_WRITES: Final = ("answer", "write")
_READS: Final = ("look", "read")
_STATE: Final = (("person", pa.int64()), ("comment", pa.string()))


def check(recording: Recording) -> Finding:
    """Without the final state the verdict is unknown, unless reads alone prove a failure."""
    writes, reads = _operations((recording.operations, recording.probes))
    state = _final_state(recording)
    outcome = examine(writes, reads, state)
    losses = _losses(recording, outcome)
    restores = _restores(recording, losses)
    measured = _measured(writes, reads, outcome, losses if state is not None else None)
    measured |= {
        "restored": len(restores),
        "restore_s": max((restore.seconds for restore in restores), default=None),
    }
    held = expectations(recording, "answers", _terms(recording), measured)
    breaches = [_doubted(breach) if not recording.whole else breach for breach in held.breaches]
    if state is None:
        breaches.append(unknown("the final answers were not read back whole, so nobody knows what survived"))
    elif not outcome.sent.acknowledged.any():
        breaches.append(unknown("no answer was acknowledged, so nothing is proven"))
    verdict, why = conclude(breaches, _well(recording, measured))
    evidence = _evidence(recording, outcome, reads, state)
    detail: dict[str, Json] = {
        "faults": [loss.row() for loss in losses],
        "restores": [restore.row() for restore in restores],
    }
    return Finding(verdict, why, measured, held.expected, evidence, detail)


def lost_ns(recording: Recording) -> Ints | None:
    """When each answer that is lost was acknowledged; None where nobody knows what survived."""
    state = _final_state(recording)
    if state is None:
        return None
    outcome = examine(*_operations((recording.operations, recording.probes)), state)
    return np.asarray(outcome.sent.acknowledged_ns[outcome.lost], np.int64)


def _terms(recording: Recording) -> Mapping[str, Term]:
    """Where only an RPO above zero is stated, it says how much may be lost, and with that be shown as it was before."""
    stated = recording.stated("answers")
    rpo_s = stated.get("rpo")
    if not isinstance(rpo_s, int | float) or rpo_s <= 0 or "lost" in stated:
        return TERMS
    bounded = {"lost": None, "stale": None, "lost_after_fault": 0}
    return {name: replace(term, default=bounded.get(name, term.default)) for name, term in TERMS.items()}


def _doubted(breach: Breach) -> Breach:
    """In a run that was cut short the record of the last writes is missing: what they wrote looks invented."""
    return unknown(f"{breach.says}, but the run was cut short") if breach.term == "phantom" else breach


@dataclass(frozen=True)
class Loss:
    """Lost answers that were acknowledged before a fault (and after the one before it), or after the last one.

    `rpo_s` is the fault's time minus the first of their acknowledgements: up to that instant everything survived.
    """

    fault: str | None
    count: int
    rpo_s: float | None

    def row(self) -> Json:
        return {"fault": self.fault, "lost": self.count, "rpo_s": self.rpo_s}


def _losses(recording: Recording, outcome: Outcome) -> list[Loss]:
    """One entry for each fault, and a last one, without a fault, for what was lost of the time after them."""
    acknowledged = np.sort(outcome.sent.acknowledged_ns[outcome.lost])
    faults = sorted(recording.faults, key=lambda fault: fault.at_ns)
    bounds = np.searchsorted(acknowledged, [fault.at_ns for fault in faults], side="right").tolist()
    found = [
        Loss(fault.id, upper - lower, _rpo_s(fault, acknowledged[lower:upper]))
        for fault, lower, upper in zip(faults, [0, *bounds], bounds, strict=False)
    ]
    return [*found, Loss(None, len(acknowledged) - (bounds[-1] if bounds else 0), None)]


@dataclass(frozen=True)
class Restore:
    """Erased answers that were brought back from a backup, and how long that took, in real seconds.

    `rpo_s` is that of the erasure: how far before it the first answer was acknowledged that is missing in the end.
    `after_s` is from the erasure until everything was back.
    """

    fault: str | None
    rows: Json
    answers: Json
    seconds: float
    after_s: float | None
    rpo_s: float | None

    def row(self) -> Json:
        return {**vars(self)}


def _restores(recording: Recording, losses: Sequence[Loss]) -> list[Restore]:
    """One entry for each time that the runbook's command brought something back."""
    found = []
    for event in recording.events:
        if event.kind != "answers.restored":
            continue
        erased = [fault for fault in recording.faults if fault.verb == "erase" and fault.at_ns <= event.at_ns]
        fault = max(erased, key=lambda each: each.at_ns, default=None)
        seconds = event.data.get("seconds")
        found.append(
            Restore(
                fault=fault.id if fault else None,
                rows=event.data.get("rows"),
                answers=event.data.get("answers"),
                seconds=float(seconds) if isinstance(seconds, int | float) else 0.0,
                after_s=round((event.at_ns - fault.at_ns) / 1e9, 3) if fault else None,
                rpo_s=next((loss.rpo_s for loss in losses if fault and loss.fault == fault.id), None),
            )
        )
    return found


def _rpo_s(fault: Fault, lost_ns: Ints) -> float:
    return round((fault.at_ns - int(lost_ns[0])) / 1e9, 3) if len(lost_ns) else 0.0


def _measured(
    writes: Writes, reads: Reads, outcome: Outcome, losses: Sequence[Loss] | None
) -> dict[str, Json]:
    measured: dict[str, Json] = {
        "acknowledged": int(outcome.sent.acknowledged.sum()),
        "people": int(np.count_nonzero(np.diff(outcome.sent.key[outcome.sent.acknowledged], prepend=-1))),
        "attempts": len(writes.key),
        "reads": len(reads.key),
        "stale": len(outcome.stale),
        "phantom": len(outcome.phantom_reads) + len(outcome.phantom_state),
    }
    if losses is None:
        return measured | {"lost": None, "rpo_s": None}
    before = [loss.rpo_s for loss in losses if loss.rpo_s is not None]
    after = losses[-1].count
    return measured | {
        "lost": len(outcome.lost),
        "lost_after_fault": after if before else 0,
        # Without a fault there is no instant to count back from.
        "rpo_s": max(before) if before else None if after else 0.0,
    }


def _well(recording: Recording, measured: Mapping[str, Json]) -> str:
    """The check `capacity` counts those of the drill alone: whoever reads both is told why they differ."""
    probed = (is_one_of(recording.probes, "kind", *_WRITES) & _known(recording.probes)).any()
    which = "answers, those of the probes counted," if probed else "answers"
    return f"{measured['acknowledged']:,} {which} were acknowledged and {measured['lost'] or 'none'} of them lost"


def _operations(tables: Sequence[pa.Table]) -> tuple[Writes, Reads]:
    """Every attempt to write a value, and every read that came back, of registers that have a name."""
    wrote = [
        is_one_of(table, "kind", *_WRITES) & _known(table) & (ints(table, "value") > 0) for table in tables
    ]
    # A prober that found the page old calls that a failure: it is what is looked for here.
    read = [
        is_one_of(table, "kind", *_READS)
        & _known(table)
        & (is_one_of(table, "outcome", "ok") | says(table, "detail", "stale"))
        for table in tables
    ]

    def gather(name: str, chosen: Sequence[Flags]) -> Ints:
        return np.concatenate([ints(table, name)[rows] for table, rows in zip(tables, chosen, strict=True)])

    return (
        Writes(
            gather("key", wrote),
            gather("value", wrote),
            gather("invoked_ns", wrote),
            gather("completed_ns", wrote),
            np.concatenate(
                [is_one_of(table, "outcome", "ok")[rows] for table, rows in zip(tables, wrote, strict=True)]
            ),
        ),
        Reads(
            gather("key", read),
            gather("value", read),
            gather("invoked_ns", read),
            gather("completed_ns", read),
        ),
    )


def _known(table: pa.Table) -> Flags:
    return np.asarray(ints(table, "key") > 0, np.bool_)


def _final_state(recording: Recording) -> State | None:
    """What each person's answer says in the end. Someone asked twice counts with the later value.

    A comment that is no number was written by nobody: -1.
    """
    table = recording.final_table("answers", _STATE)
    if table is None:
        return None
    key, value = ints(table, "person"), numbers(table, "comment")
    order = np.lexsort((value, key))
    last = np.flatnonzero(np.diff(key[order], append=-1))
    return State(key[order][last], value[order][last])


def _evidence(recording: Recording, outcome: Outcome, reads: Reads, state: State | None) -> tuple[Json, ...]:
    """The first of each kind: who, which value, when."""
    sent = outcome.sent
    rows: list[Json] = [_lost_row(recording, sent, at, state) for at in outcome.lost[:MOST_EVIDENCE].tolist()]
    for what, positions in (("stale", outcome.stale), ("phantom", outcome.phantom_reads)):
        rows += [_read_row(recording, what, reads, at) for at in positions[:MOST_EVIDENCE].tolist()]
    if state is not None:
        rows += [
            {
                "what": "phantom",
                "person": int(state.key[at]),
                "shown": int(state.value[at]),
                "where": "final state",
            }
            for at in outcome.phantom_state[:MOST_EVIDENCE].tolist()
        ]
    return tuple(rows)


def _lost_row(recording: Recording, sent: Sent, at: int, state: State | None) -> Json:
    person = int(sent.key[at])
    held = 0
    if state is not None and len(state.key):
        place = min(int(np.searchsorted(state.key, person)), len(state.key) - 1)
        held = int(state.value[place]) if int(state.key[place]) == person else 0
    return {
        "what": "lost",
        "person": person,
        "value": int(sent.value[at]),
        "acknowledged_s": recording.at_s(int(sent.acknowledged_ns[at])),
        "final": held,
    }


def _read_row(recording: Recording, what: str, reads: Reads, at: int) -> Json:
    return {
        "what": what,
        "person": int(reads.key[at]),
        "shown": int(reads.value[at]),
        "at_s": recording.at_s(int(reads.completed_ns[at])),
    }
