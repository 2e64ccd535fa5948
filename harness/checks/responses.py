"""Responses: the drill's statistics. Who answered how fast after their mail, who is unconfirmed, who can come to work.

Times are minutes of drill time from the mail in the mailbox to the first answer that was acknowledged; percentiles are
interpolated linearly between the answers, so that none is ever below the fastest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from harness.checks.columns import Flags, Ints, ints, is_one_of, says
from harness.checks.expectations import asked, expectations
from harness.checks.recording import Recording
from harness.checks.terms import Term, conclude, units, unknown
from harness.rundir import Json
from harness.rundir.verdict import Finding

TERMS: Final = {
    "answered": Term("ratio", "answered_ratio", "at least", "people who answered"),
    "unconfirmed": Term("count", "unconfirmed", "at most", "people unconfirmed at the end"),
    "median": Term("drill-duration", "median_drill_s", "at most", "median time to the answer"),
}
EXPECTS: Final = units(TERMS)

#: A mail's id is event.person.company@..., all of them numbers.
_ID: Final = r"^(?P<event>[0-9]{1,18})\.(?P<person>[0-9]{1,18})\.(?P<company>[0-9]{1,18})@"
_ANSWERS: Final = (("person", pa.int64()), ("status", pa.string()), ("come", pa.string()))
MOST_UNCONFIRMED: Final = 100

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Asked:
    """Everyone who was mailed, once each, by number. `minutes` is NaN for those who never answered."""

    person: Ints
    company: Ints
    minutes: Floats
    confirmed: Flags
    comes: Flags

    def of(self, rows: Flags) -> Asked:
        return Asked(
            self.person[rows], self.company[rows], self.minutes[rows], self.confirmed[rows], self.comes[rows]
        )


def check(recording: Recording) -> Finding:
    mailed = _asked(recording)
    stated = recording.stated("responses")
    if mailed is None:
        breaches = (
            [unknown("the mails or the answers were not read back whole")]
            if stated or not recording.whole
            else []
        )
        part = asked(recording, "responses", looked=False, breaches=breaches)
        return Finding(*conclude(breaches, "nobody was asked"), expected=stated, asked=part)
    everyone = statistics(mailed)
    measured = {**everyone, "median_drill_s": _seconds(everyone["median_drill_min"])}
    held = expectations(recording, "responses", TERMS, measured)
    names = {row.get("company"): row.get("name") for row in recording.final("companies") or ()}
    companies: dict[str, Json] = {
        str(number): {"name": names.get(number), **statistics(mailed.of(mailed.company == number))}
        for number in np.unique(mailed.company).tolist()
    }
    missing = np.flatnonzero(~mailed.confirmed)[:MOST_UNCONFIRMED]
    return Finding(
        *conclude(held.breaches, _well(measured)),
        measured,
        held.expected,
        tuple({"unconfirmed": int(mailed.person[at]), "company": int(mailed.company[at])} for at in missing),
        {"all": dict(everyone), "companies": companies},
        asked(recording, "responses", looked=len(mailed.person) > 0, breaches=held.breaches),
    )


def statistics(asked: Asked) -> dict[str, Json]:
    """What a drill report says of a company, or of all; minutes are null where nobody answered."""
    minutes = asked.minutes[~np.isnan(asked.minutes)]
    quartiles = np.percentile(minutes, (0, 25, 50, 75)).tolist() if len(minutes) else [None] * 4
    names = ("fastest_drill_min", "p25_drill_min", "median_drill_min", "p75_drill_min")
    return {
        "asked": len(asked.person),
        "answered": len(minutes),
        "answered_ratio": round(len(minutes) / len(asked.person), 4) if len(asked.person) else None,
        **{name: _rounded(value) for name, value in zip(names, quartiles, strict=True)},
        "deviation_drill_min": _rounded(float(minutes.std())) if len(minutes) else None,
        "unconfirmed": int((~asked.confirmed).sum()),
        "can_come": int(asked.comes.sum()),
    }


def _asked(recording: Recording) -> Asked | None:
    """None if the mails or the final answers are not there."""
    composed, stored = recording.mail("composed"), recording.mail("stored")
    final = recording.final_table("answers", _ANSWERS)
    if composed is None or stored is None or final is None:
        return None
    person, company, mailed_ns = _mailed(_own(composed), _own(stored))
    answered = _first(*_answers(recording), person)
    took = np.maximum(answered - mailed_ns, 0) / 60e9 * recording.clock.scale
    given = ~says(final, "status", "") & np.asarray(final.column("status").is_valid())
    return Asked(
        person,
        company,
        np.where(answered < _NEVER, took, np.nan),
        np.isin(person, ints(final, "person")[given]),
        np.isin(person, ints(final, "person")[given & says(final, "come", "yes")]),
    )


_NEVER: Final = np.iinfo(np.int64).max


@dataclass(frozen=True)
class _Mailed:
    """One row for each mail to a person."""

    person: Ints
    company: Ints
    at_ns: Ints


def _own(table: pa.Table) -> _Mailed:
    """The mails to people: whose id says so."""
    parts = pc.extract_regex(table.column("id"), _ID)
    known = np.asarray(parts.is_valid())
    person, company = (
        np.asarray(pc.cast(pc.struct_field(parts, name).drop_null(), pa.int64()), np.int64)
        for name in ("person", "company")
    )
    return _Mailed(person, company, ints(table, "at_ns")[known])


def _mailed(composed: _Mailed, stored: _Mailed) -> tuple[Ints, Ints, Ints]:
    """Everyone once, their company, and when their first mail was in a mailbox (or composed, if it never was)."""
    everyone, at = np.unique(composed.person, return_index=True)
    arrived = _first(stored.person, stored.at_ns, everyone)
    written = _first(composed.person, composed.at_ns, everyone)
    return everyone, composed.company[at], np.where(arrived < _NEVER, arrived, written)


def _answers(recording: Recording) -> tuple[Ints, Ints]:
    """Who got an answer acknowledged, and when."""
    table = recording.operations
    rows = is_one_of(table, "kind", "answer") & is_one_of(table, "outcome", "ok")
    return ints(table, "key")[rows], ints(table, "completed_ns")[rows]


def _first(keys: Ints, at_ns: Ints, wanted: Ints) -> Ints:
    """For each of `wanted` (sorted) the first instant of that key; `_NEVER` where there is none."""
    found = np.full(len(wanted), _NEVER, np.int64)
    if len(wanted):
        at = np.minimum(np.searchsorted(wanted, keys), len(wanted) - 1)
        known = wanted[at] == keys
        np.minimum.at(found, at[known], at_ns[known])
    return found


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


def _seconds(minutes: Json) -> float | None:
    return minutes * 60 if isinstance(minutes, int | float) else None


def _well(measured: Mapping[str, Json]) -> str:
    if not measured["asked"]:
        return "nobody was asked"
    if not measured["answered"]:
        return f"none of {measured['asked']:,} people answered"
    half = f"half of those within {measured['median_drill_min']} drill minutes"
    return f"{measured['answered']:,} of {measured['asked']:,} people answered, {half}"
