"""The drill's statistics: how fast people answered, company by company, and who is unconfirmed.

The figures are the `responses` check's. The distribution and the list of the unconfirmed are made from the record by
the same definitions: minutes of drill time from the mail in the mailbox to the first answer that was acknowledged.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from harness.rundir import Json
from reports.reading import Record
from reports.series import Floats, names
from reports.tables import Cell, cell
from reports.words import Words, number

QUARTILES: Final = ("fastest_drill_min", "p25_drill_min", "median_drill_min", "p75_drill_min")
COUNTS: Final = ("asked", "answered", "answered_ratio")
REST: Final = ("deviation_drill_min", "unconfirmed", "can_come")
#: A mail's id is broadcast.person.company@...
_ID: Final = re.compile(r"[0-9]{1,18}\.(?P<person>[0-9]{1,18})\.(?P<company>[0-9]{1,18})@")
#: Lists longer than this are cut; all of it stands in the record.
MOST_LISTED: Final = 400
#: So few companies are shown at once; more can be unfolded.
FEW_COMPANIES: Final = 6


@dataclass(frozen=True)
class Group:
    """The figures of one company or, with `number` None, of all."""

    number: str | None
    name: str
    figures: Mapping[str, Json]

    def minutes(self, key: str) -> float | None:
        """A figure in drill minutes. None where it is not told, or where the quartiles contradict each other."""
        value = self.figures.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return float(value) if key not in QUARTILES or self.plausible else None

    @property
    def plausible(self) -> bool:
        """No percentile is below the fastest answer, nor below a lower one."""
        told = [float(value) for key in QUARTILES if isinstance(value := self.figures.get(key), int | float)]
        return told == sorted(told)


@dataclass(frozen=True)
class Statistics:
    """`minutes`: of everyone who answered, sorted. `unconfirmed`: company -> people, both by number."""

    everyone: Group | None
    companies: Sequence[Group]
    minutes: Floats
    asked: int
    unconfirmed: Mapping[int, Sequence[int]]
    names: Mapping[int, str]


def statistics(record: Record) -> Statistics | None:
    """None where nobody was asked, or nobody knows."""
    told = record.detail("responses")
    everyone, companies = told.get("all"), told.get("companies")
    groups = [
        Group(number, str(row.get("name") or number), row)
        for number, row in (companies.items() if isinstance(companies, dict) else ())
        if isinstance(row, dict)
    ]
    people, company, mailed_ns = _mailed(record)
    if not everyone and not people.size:
        return None
    return Statistics(
        Group(None, "", everyone) if isinstance(everyone, dict) else None,
        groups,
        _minutes(record, people, mailed_ns),
        people.size,
        _unconfirmed(record, people, company),
        {
            number: str(row.get("name"))
            for row in record.final.get("companies", ())
            if isinstance(number := row.get("company"), int)
        },
    )


def _mailed(record: Record) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Everyone once, their company, and when their first mail was stored (composed, if it never was), nanoseconds."""
    composed, stored = _first_mails(record.mail["composed"]), _first_mails(record.mail["stored"])
    people = np.asarray(sorted(composed), dtype=np.int64)
    company = np.asarray([composed[person][1] for person in people.tolist()], dtype=np.int64)
    mailed = [stored.get(person, composed[person])[0] for person in people.tolist()]
    return people, company, np.asarray(mailed, dtype=np.int64)


def _first_mails(table: pa.Table) -> dict[int, tuple[int, int]]:
    """person -> (when, company) of their first mail on a leg; probes have other ids."""
    first: dict[int, tuple[int, int]] = {}
    for mail, at_ns in zip(table.column("id").to_pylist(), table.column("at_ns").to_pylist(), strict=True):
        parts = _ID.match(mail or "")
        if parts and at_ns is not None:
            person, company = int(parts["person"]), int(parts["company"])
            first[person] = min((at_ns, company), first.get(person, (at_ns, company)))
    return first


def _minutes(record: Record, people: np.ndarray, mailed_ns: np.ndarray) -> Floats:
    answered = (names(record.load, "kind") == "answer") & (names(record.load, "outcome") == "ok")
    keys, at_ns = (record.load.column(name).to_numpy()[answered] for name in ("key", "completed_ns"))
    first: dict[int, int] = {}
    for person, acknowledged_ns in zip(keys.tolist(), at_ns.tolist(), strict=True):
        first[person] = min(acknowledged_ns, first.get(person, acknowledged_ns))
    pairs = zip(people.tolist(), mailed_ns.tolist(), strict=True)
    took = [
        max(first[person] - mail_ns, 0) / 60e9 * record.scale for person, mail_ns in pairs if person in first
    ]
    return np.sort(np.asarray(took, dtype=np.float64))


def _unconfirmed(record: Record, people: np.ndarray, company: np.ndarray) -> Mapping[int, Sequence[int]]:
    """Nobody is called unconfirmed where the final answers were not read back."""
    if "answers" not in record.final:
        return {}
    confirmed = {row.get("person") for row in record.final["answers"] if row.get("status")}
    found: dict[int, list[int]] = {}
    for person, of in zip(people.tolist(), company.tolist(), strict=True):
        if person not in confirmed:
            found.setdefault(of, []).append(person)
    return dict(sorted(found.items()))


@dataclass(frozen=True)
class Line:
    """One line of the table. `box` places fastest, 25 %, median and 75 % on 0 to 100; None where they are not told."""

    name: str
    cells: tuple[Cell, ...]
    box: tuple[float, float, float, float] | None
    implausible: bool


@dataclass(frozen=True)
class Missing:
    """The unconfirmed of one company."""

    company: str
    count: int
    people: str
    left_out: int


@dataclass(frozen=True)
class View:
    headings: tuple[str, ...]
    everyone: Line | None
    companies: tuple[Line, ...]
    folded: bool
    comments: tuple[str, ...]
    missing: tuple[Missing, ...]
    missing_total: int


def view(told: Statistics | None, words: Words) -> View | None:
    """What the page shows of it."""
    if told is None:
        return None
    groups = [*([told.everyone] if told.everyone else []), *told.companies]
    widest = max(
        [1.0, *(minutes for group in groups if (minutes := group.minutes("p75_drill_min")) is not None)]
    )
    lines = [_line(group, words, widest) for group in groups]
    first = 1 if told.everyone else 0
    missing = tuple(_missing(told, number, people) for number, people in told.unconfirmed.items())
    return View(
        tuple(words(f"drill.{key}") for key in (*COUNTS, *QUARTILES, *REST)),
        lines[0] if first else None,
        tuple(lines[first:]),
        len(told.companies) > FEW_COMPANIES,
        tuple(comments(told, words)),
        missing,
        sum(each.count for each in missing),
    )


def _line(group: Group, words: Words, widest: float) -> Line:
    cells = [_cell(group, key, words) for key in (*COUNTS, *QUARTILES, *REST)]
    told = [minutes for key in QUARTILES if (minutes := group.minutes(key)) is not None]
    box = [round(100 * minutes / widest, 2) for minutes in told]
    return Line(
        words("drill.everyone") if group.number is None else group.name,
        tuple(cells),
        (box[0], box[1], box[2], box[3]) if len(box) == len(QUARTILES) else None,
        not group.plausible,
    )


def _cell(group: Group, key: str, words: Words) -> Cell:
    """Minutes to one decimal, as drill reports print them; the headings name the unit."""
    if not key.endswith("_drill_min"):
        return cell(words, key, group.figures.get(key))
    minutes = group.minutes(key)
    return cell(words, "", None) if minutes is None else Cell(f"{minutes:,.1f}", repr(minutes), True)


def _missing(told: Statistics, company: int, people: Sequence[int]) -> Missing:
    shown = people[:MOST_LISTED]
    text = ", ".join(str(person) for person in shown)
    return Missing(told.names.get(company, str(company)), len(people), text, len(people) - len(shown))


def comments(told: Statistics, words: Words) -> Iterable[str]:
    """The three that the vendor's drill report of 2019 makes: on the fastest answer, on percentiles, on the spread."""
    everyone = told.everyone
    if everyone is None or any(everyone.minutes(key) is None for key in (*QUARTILES, "deviation_drill_min")):
        return
    figures = {
        key.removesuffix("_drill_min"): number(round(everyone.minutes(key) or 0, 1))
        for key in (*QUARTILES, REST[0])
    }
    yield words("comment.fastest", **figures) + _about(told, "fastest_drill_min", words, "comment.fastest.at")
    yield words("comment.percentiles", **figures) + _about(
        told, "median_drill_min", words, "comment.median.at"
    )
    spread = everyone.minutes("deviation_drill_min") or 0.0
    known = [group for group in told.companies if group.minutes("deviation_drill_min") is not None]
    even = sum((group.minutes("deviation_drill_min") or 0.0) < spread for group in known)
    yield words("comment.spread", **figures) + (
        words("comment.even", even=even, all=len(known)) if len(known) > 1 else ""
    )


def _about(told: Statistics, key: str, words: Words, text: str) -> str:
    """The company that is first by a figure, where there are several to choose from."""
    known = [group for group in told.companies if group.minutes(key) is not None]
    if len(known) < 2:
        return ""
    best = min(known, key=lambda group: group.minutes(key) or 0.0)
    return words(text, company=best.name, minutes=number(round(best.minutes(key) or 0.0, 1)))
