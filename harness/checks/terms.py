"""What a scenario may expect of a check, and holding what was measured against it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from harness.rundir import Json
from harness.rundir.verdict import Verdict

#: How an expectation is written in a scenario: 0 | 30s | 30min of drill time | 99% | once.
Unit = Literal["count", "duration", "drill-duration", "ratio", "how-often"]
Sense = Literal["at most", "at least", "exactly"]


@dataclass(frozen=True)
class Term:
    """One expectation that a scenario may state.

    `measured` is the name under which the check reports it, with its unit. `default` holds for every run whose
    scenario says nothing else; None: measured only. A missed `deadline` on a starved host is unknown, not a failure;
    so is any lack of `evidence`, which is no fault of the service.
    """

    unit: Unit
    measured: str
    sense: Sense
    says: str
    default: Json = None
    deadline: bool = False
    evidence: bool = False


Terms = Mapping[str, Term]


@dataclass(frozen=True)
class Breach:
    """One thing that was not as expected (fail), or that could not be told (unknown)."""

    verdict: Verdict
    says: str
    term: str = ""  # the expectation that it breaks, if it is one


@dataclass(frozen=True)
class Held:
    """What was expected, under the measured names, and where what was measured falls short of it."""

    expected: Mapping[str, Json]
    breaches: tuple[Breach, ...]


def units(terms: Terms) -> Mapping[str, Unit]:
    """The names that a scenario may use, and how each is written."""
    return {name: term.unit for name, term in terms.items()}


def hold(
    terms: Terms,
    stated: Mapping[str, Json],
    measured: Mapping[str, Json],
    *,
    starved: bool = False,
    pressed: Collection[str] = (),
    whole: bool = True,
) -> Held:
    """Hold what was measured against what is stated or expected of every run.

    Unknown instead of failed: a quantity that is missing or null; too little evidence; a deadline that was missed on
    a `starved` host, or one of those in `pressed`, which were missed only while it was; in a run that is not `whole`,
    whatever is not yet as much as it should be. Raises KeyError for a stated name that is no term.
    """
    wanted = {name: term.default for name, term in terms.items() if term.default is not None} | dict(stated)
    expected: dict[str, Json] = {}
    breaches: list[Breach] = []
    for name, want in wanted.items():
        term = terms[name]
        expected[term.measured] = want
        got = measured.get(term.measured)
        if got is None:
            breaches.append(unknown(f"{term.says}: could not be told", name))
        elif not _meets(got, want, term.sense):
            says = (
                f"{term.says}: {quantity(got, term.unit)}, expected {term.sense} {quantity(want, term.unit)}"
            )
            if term.evidence:
                breaches.append(unknown(says, name))
            elif term.deadline and (starved or name in pressed):
                breaches.append(unknown(f"{says}, but the host was starved", name))
            elif term.sense != "at most" and not whole:
                breaches.append(unknown(f"{says}, but the run was cut short", name))
            else:
                breaches.append(fail(says, name))
    return Held(expected, tuple(breaches))


def _meets(got: Json, want: Json, sense: Sense) -> bool:
    if sense == "exactly":
        return got == want
    if isinstance(got, int | float) and isinstance(want, int | float):
        return got <= want if sense == "at most" else got >= want
    raise TypeError(f"cannot compare {got!r} with {want!r}")


def fail(says: str, term: str = "") -> Breach:
    return Breach(Verdict.FAIL, says, term)


def unknown(says: str, term: str = "") -> Breach:
    return Breach(Verdict.UNKNOWN, says, term)


def conclude(breaches: tuple[Breach, ...] | list[Breach], well: str) -> tuple[Verdict, str]:
    """The verdict and its one sentence: `well` if nothing is amiss, else the worst things there are to say."""
    if not breaches:
        return Verdict.PASS, sentence(well)
    verdict = Verdict.worst(breach.verdict for breach in breaches)
    says = [breach.says for breach in breaches if breach.verdict is verdict]
    more = f"; and {len(says) - MOST_SAID} more" if len(says) > MOST_SAID else ""
    return verdict, sentence("; ".join(says[:MOST_SAID]) + more)


MOST_SAID: Final = 3


def sentence(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".") + "."


def quantity(value: Json, unit: Unit) -> str:
    """A measured value as people write it: 3 | 21.4 s | 30 min | 99.9 % | once."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return str(value)
    if unit == "duration":
        return f"{value:.3g} s" if value < 10 else f"{value:.1f} s"
    if unit == "drill-duration":
        return f"{value / 60:.1f} min of drill time"
    if unit == "ratio":
        return f"{value:.1%}"
    return f"{value:g}"
