"""Broadcast: exactly one for each event and company whose rule matches, after the hold, to all of its people.

None for what was taken back inside the hold, none for training, none twice whatever failed in between. What was due
is reckoned anew from what was published and enrolled, see `due`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from harness.checks.due import Due, due
from harness.checks.expectations import asked, expectations
from harness.checks.recording import Recording, number
from harness.checks.telegrams import Company, Telegram, enrolled, hold_ns, published
from harness.checks.terms import Breach, Term, conclude, fail, units, unknown
from harness.rundir import Json
from harness.rundir.verdict import Finding, Verdict

TERMS: Final = {
    "exactly": Term("how-often", "exactly", "exactly", "broadcasts to each company concerned"),
    "count": Term("count", "broadcasts", "exactly", "broadcasts"),
}
EXPECTS: Final = units(TERMS)
MOST_EVIDENCE: Final = 100


@dataclass(frozen=True)
class Sent:
    """One broadcast that the service made."""

    event: str
    company: int
    at_ns: int
    people: int


@dataclass(frozen=True)
class Wrong:
    """One thing that is not exactly once; `what` is a key of `SAYS`."""

    what: str
    event: str
    company: int
    at_ns: int | None = None

    def row(self, recording: Recording) -> Json:
        at_s = None if self.at_ns is None else recording.at_s(self.at_ns)
        return {"what": self.what, "event": self.event, "company": self.company, "at_s": at_s}


SAYS: Final = {
    "twice": "broadcasts were made again for the same event and company",
    "unwanted": "broadcasts went to companies they were not due to",
    "early": "broadcasts left before the hold had ended",
    "missing": "broadcasts that were due were never made",
    "incomplete": "broadcasts left out some of the company's people",
}


def check(recording: Recording) -> Finding:
    sent, rows = _sent(recording), recording.final("companies")
    if sent is None or rows is None:
        return Finding(Verdict.UNKNOWN, "The broadcasts or the companies were not read back whole.")
    companies, telegrams = enrolled(rows), published(recording)
    wanted = due(telegrams, companies or (), _arrivals(recording), hold_ns(recording.clock.scale))
    wrong = sorted(
        _wrong(sent, wanted, companies), key=lambda each: (list(SAYS).index(each.what), each.company)
    )
    count = Counter(each.what for each in wrong)
    measured: dict[str, Json] = {
        "exactly": wrong[0].what if wrong else "once" if sent else "never",
        "broadcasts": len(sent),
        "telegrams": len(telegrams),
        "due": sum(len(each.owed) for each in wanted),
        **{what: count[what] for what in SAYS},
    }
    held = expectations(recording, "broadcast", TERMS, measured, judged=["exactly"] if wrong else [])
    breaches = [
        *(_breach(recording, what, count[what]) for what in SAYS if count[what]),
        *held.breaches,
        *_unreckoned(companies, telegrams),
    ]
    return Finding(
        *conclude(breaches, _well(measured, len(companies or ()), wanted)),
        measured,
        held.expected,
        tuple(each.row(recording) for each in wrong[:MOST_EVIDENCE]),
        {"events": [_due_row(recording, each, sent) for each in wanted]},
        asked(recording, "broadcast", looked=bool(sent or telegrams), breaches=breaches),
    )


def _sent(recording: Recording) -> list[Sent] | None:
    """Every broadcast but the standing ones, which no event made."""
    rows = recording.final("broadcasts")
    if rows is None:
        return None
    return [
        Sent(str(row["event"]), number(row, "company"), number(row, "at_ns"), number(row, "people"))
        for row in rows
        if not row.get("standing")
    ]


def _arrivals(recording: Recording) -> dict[str, int]:
    """When the first telegram of each event arrived, as the service has it."""
    return {str(row["event"]): number(row, "received_at_ns") for row in recording.final("events") or ()}


def _wrong(
    sent: Sequence[Sent], wanted: Sequence[Due], companies: Sequence[Company] | None
) -> Iterator[Wrong]:
    """Everything that is not as it was due. Without the companies' rules, only what is wrong whatever they are."""
    by_event = {each.event: each for each in wanted}
    people = {company.number: company.people for company in companies or ()}
    seen: Counter[tuple[str, int]] = Counter()
    for each in sent:
        if seen[each.event, each.company]:
            yield Wrong("twice", each.event, each.company, each.at_ns)
        seen[each.event, each.company] += 1
        of = by_event.get(each.event)
        if of is None or (companies is not None and each.company not in of.companies):
            yield Wrong("unwanted", each.event, each.company, each.at_ns)
        elif each.at_ns < of.companies.get(each.company, of.due_ns):
            yield Wrong("early", each.event, each.company, each.at_ns)
        if people.get(each.company, each.people) != each.people:
            yield Wrong("incomplete", each.event, each.company, each.at_ns)
    for of in wanted:
        yield from (
            Wrong("missing", of.event, company) for company in sorted(of.owed) if not seen[of.event, company]
        )


def _breach(recording: Recording, what: str, count: int) -> Breach:
    """In a run that was cut short, what is missing might still have come."""
    if what == "missing" and not recording.whole:
        return unknown(f"{count} {SAYS[what]} before the run was cut short")
    return fail(f"{count} {SAYS[what]}")


def _unreckoned(companies: Sequence[Company] | None, telegrams: Sequence[Telegram]) -> Iterator[Breach]:
    if companies is None:
        yield unknown("the companies' rules were not read back, so nobody knows to whom a broadcast was due")
    if any(each.real and each.areas is None for each in telegrams):
        yield unknown(
            "the areas of a telegram were not recorded, so nobody knows to whom a broadcast was due"
        )


def _due_row(recording: Recording, of: Due, sent: Sequence[Sent]) -> Json:
    at_ns = [each.at_ns for each in sent if each.event == of.event]
    return {
        "event": of.event,
        "due_s": recording.at_s(of.due_ns),
        "companies": len(of.companies),
        "cancelled": of.cancelled,
        "first_s": recording.at_s(min(at_ns)) if at_ns else None,
        "last_s": recording.at_s(max(at_ns)) if at_ns else None,
    }


def _well(measured: Mapping[str, Json], companies: int, events: Sequence[Due]) -> str:
    if not measured["broadcasts"]:
        return "no broadcast was due and none was made"
    if len(events) > 1:
        return (
            f"{measured['broadcasts']} broadcasts about {len(events)} events were due, and each was made once"
        )
    return f"each of {measured['broadcasts']} companies concerned, of {companies}, got exactly one broadcast"
