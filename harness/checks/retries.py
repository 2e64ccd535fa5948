"""Retries: of those who try to answer, how many are served within five retries, and what the retries cost the service.

    attempt 1      2          3 ok           one person: the page and the form, by whatever entrance
    |-- refused    |-- reset  |-- answered   two retries

All tries of one attempt share its intended time; a person who is refused at one entrance knocks at the next at once,
and what that adds for the service is told as `tries_per_answer`. Who sees a page and sends no form has only looked,
which is no attempt. People try until they are served, so who was not served and has not tried often enough to count as
failed was cut off by the end of the run: undecided, told apart and left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from harness.checks.columns import Flags, Ints, ints, is_one_of
from harness.checks.expectations import asked, expectations
from harness.checks.recording import Recording
from harness.checks.terms import Term, conclude, units, unknown
from harness.rundir import Json
from harness.rundir.verdict import Finding

TERMS: Final = {
    "within_5": Term("ratio", "within_5_ratio", "at least", "of those who tried, answered within 5 retries"),
    "attempts_per_answer": Term(
        "count", "attempts_per_answer", "at most", "attempts to each person's first answer"
    ),
    "tries_per_answer": Term(
        "count", "tries_per_answer", "at most", "tries at an entrance to each person's first answer"
    ),
    "storm": Term(
        "count", "storm", "at most", "attempts in the worst ten seconds to each first attempt in them"
    ),
}
EXPECTS: Final = units(TERMS)
RETRIES: Final = 5
WINDOW_NS: Final = 10_000_000_000
#: A run in which more than this share was cut off in the middle of trying says nothing of the others.
MOST_UNDECIDED: Final = 0.02
_NEVER: Final = np.iinfo(np.int64).max


def check(recording: Recording) -> Finding:
    table = recording.operations
    ok = is_one_of(table, "outcome", "ok")
    asking = is_one_of(table, "kind", "answer") | (is_one_of(table, "kind", "look") & ~ok)
    who, at_ns = ints(table, "key")[asking], ints(table, "intended_ns")[asking]
    answered = ok[asking]
    people, person = np.unique(who, return_inverse=True)
    # The attempt that was served first; those after it are second answers and looks.
    served_ns = np.full(len(people), _NEVER, np.int64)
    np.minimum.at(served_ns, person[answered], at_ns[answered])
    before = at_ns <= served_ns[person]
    begun = np.unique(np.stack([person[before], at_ns[before]]), axis=1) if len(people) else np.empty((2, 0))
    attempts = np.bincount(begun[0].astype(np.int64), minlength=len(people))
    served = served_ns < _NEVER
    measured = _measured(attempts, served, begun[0].astype(np.int64), begun[1].astype(np.int64))
    failed = ~answered & before
    measured |= _knocks(int((failed & served[person]).sum()), int(served.sum()))
    held = expectations(recording, "retries", TERMS, measured)
    breaches = list(held.breaches)
    tried, undecided = len(people), int(str(measured["undecided"]))
    if "within_5" in recording.stated("retries") and undecided > MOST_UNDECIDED * tried:
        breaches.append(unknown(f"{undecided} of {tried} people were still trying when the run ended"))
    part = asked(recording, "retries", looked=tried > 0, breaches=breaches)
    return Finding(*conclude(breaches, _well(measured)), measured, held.expected, asked=part)


def _measured(attempts: Ints, served: Flags, person: Ints, begun_ns: Ints) -> dict[str, Json]:
    enough = served & (attempts <= RETRIES + 1)
    undecided = ~served & (attempts <= RETRIES)
    decided = len(attempts) - int(undecided.sum())
    return {
        "tried": len(attempts),
        "answered": int(served.sum()),
        "undecided": int(undecided.sum()),
        "within_5_ratio": round(int(enough.sum()) / decided, 5) if decided else None,
        "most_retries": int(attempts[served].max() - 1) if served.any() else None,
        "attempts": int(attempts.sum()),
        "attempts_per_answer": round(float(attempts[served].mean()), 3) if served.any() else None,
        "storm": _storm(person, begun_ns),
    }


def _knocks(failed: int, answers: int) -> dict[str, Json]:
    """Tries at an entrance that came to nothing before somebody's first answer, and all for each of those answers."""
    per_answer = round((failed + answers) / answers, 3) if answers else None
    return {"failed_tries": failed, "tries_per_answer": per_answer}


def _storm(person: Ints, begun_ns: Ints) -> float | None:
    """All attempts in a window to the first ones in it, in the window with the most attempts of all."""
    if not len(person):
        return None
    first_ns = np.full(int(person.max()) + 1, _NEVER, np.int64)
    np.minimum.at(first_ns, person, begun_ns)
    window = (begun_ns - begun_ns.min()) // WINDOW_NS
    every = np.bincount(window)
    firsts = np.bincount(window[begun_ns == first_ns[person]], minlength=len(every))
    worst = int(every.argmax())
    return round(int(every[worst]) / max(int(firsts[worst]), 1), 3)


def _well(measured: Mapping[str, Json]) -> str:
    if not measured["answered"]:
        return "nobody answered"
    share = float(str(measured["within_5_ratio"]))
    return (
        f"{share:.1%} of those who tried answered within {RETRIES} retries, "
        f"with {measured['attempts_per_answer']} attempts and {measured['tries_per_answer']} tries an answer"
    )
