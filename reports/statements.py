"""What was seen from outside, in the language of the report.

Faults and runbooks wrote down in English what they saw. Where the report speaks another language it says what was to be
seen, and that it was; the words of the record stay beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from harness.rundir import Json
from reports.names import Names
from reports.reading import Record
from reports.words import Words


def of_fault(verb: str, words: Words) -> str:
    """What is seen where a fault is in force; empty where nobody here knows."""
    return words.known(f"seen.{verb}", "")


def of_step(record: Record, performance: str, step: str, names: Names, words: Words) -> str:
    """What the proofs of a runbook's step say when they are seen; empty where one of them is not known here."""
    said = []
    for proof, arguments in _proofs(record, performance, step):
        given = {key: _shown(key, value, names) for key, value in arguments.items()}
        try:
            said.append(words(f"proof.{proof}", **given))
        except KeyError:
            return ""
    return words("join.clause").join(said)


def _shown(key: str, value: Json, names: Names) -> str:
    return names.region(str(value)) if key in ("region", "from", "to") else str(value)


def _proofs(record: Record, performance: str, step: str) -> Iterator[tuple[str, Mapping[str, Json]]]:
    """Those of a step as it was planned, with their arguments."""
    for runbook in _runbooks(record, performance):
        steps = runbook.get("steps")
        for row in steps if isinstance(steps, list) else ():
            proofs = row.get("proof") if isinstance(row, Mapping) and row.get("name") == step else None
            for name, arguments in proofs.items() if isinstance(proofs, Mapping) else ():
                yield str(name), arguments if isinstance(arguments, Mapping) else {}


def _runbooks(record: Record, performance: str) -> Iterator[Mapping[str, Json]]:
    """What was to be performed under that name: by the timeline, or by whoever rehearsed it."""
    timeline, rehearsed = record.plan.get("timeline"), record.plan.get("rehearsal")
    for entry in timeline if isinstance(timeline, list) else ():
        runbook = entry.get("runbook") if isinstance(entry, Mapping) else None
        if isinstance(entry, Mapping) and entry.get("id") == performance and isinstance(runbook, Mapping):
            yield runbook
            return
    runbook = rehearsed.get("runbook") if isinstance(rehearsed, Mapping) else None
    if (
        isinstance(rehearsed, Mapping)
        and rehearsed.get("performance") == performance
        and isinstance(runbook, Mapping)
    ):
        yield runbook
