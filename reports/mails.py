"""The mails of a run: the books of each leg, and where mails waited over time, as the check `mail` wrote them down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from harness.rundir import Json
from reports.reading import Record
from reports.series import Floats
from reports.tables import Table, of_detail, of_rows
from reports.words import Words

CHECK: Final = "mail"
#: The tables that everybody sees; the others are for the reader who doubts.
BOOKS: Final = ("ledger", "legs", "domains")
OTHERS: Final = ("hosts", "backlogs")
OVER_TIME: Final = "waiting_over_time"
#: Where a mail that has not reached its mailbox may wait, in the order of its way.
ON_THE_WAY: Final = ("outbox", "provider", "carrier")


@dataclass(frozen=True)
class View:
    """What the page shows of the mails."""

    books: tuple[Table, ...]
    others: tuple[Table, ...]


@dataclass(frozen=True)
class Waiting:
    """How many mails waited at each of these instants: place by place, and on their way to each domain."""

    at_s: Floats
    places: Mapping[str, Floats]
    domains: Mapping[str, Floats]


def view(record: Record, words: Words) -> View | None:
    """None where the check has not been run, or found no mails."""
    detail = record.detail(CHECK)
    if waiting(record) is None:
        return None
    return View(
        tuple(table for name in BOOKS for table in _table(words, name, detail.get(name))),
        tuple(table for name in OTHERS for table in _table(words, name, detail.get(name))),
    )


def waiting(record: Record) -> Waiting | None:
    """None where there is nothing to draw."""
    found = record.detail(CHECK).get(OVER_TIME)
    if not isinstance(found, dict):
        return None
    at_s, places, domains = (found.get(name) for name in ("at_s", "places", "domains"))
    if (
        not isinstance(at_s, list)
        or not isinstance(places, dict)
        or not isinstance(domains, dict)
        or not at_s
    ):
        return None
    if not all(
        isinstance(each, list) and len(each) == len(at_s) for each in [*places.values(), *domains.values()]
    ):
        return None
    return Waiting(
        np.asarray(at_s, dtype=np.float64),
        {name: np.asarray(each, dtype=np.float64) for name, each in places.items()},
        {name: np.asarray(each, dtype=np.float64) for name, each in domains.items()},
    )


def _table(words: Words, name: str, value: Json) -> list[Table]:
    """A part of the detail, whose rows are named `name` as a leg, a domain, or a node."""
    if not isinstance(value, dict):
        return []
    if not all(isinstance(row, dict) for row in value.values()):
        return of_detail(words, {name: value}, CHECK)
    rows: list[Json] = [
        {"leg": key, **row} if name in ("ledger", "legs") else {"name": key, **row}
        for key, row in value.items()
        if isinstance(row, dict)
    ]
    return [of_rows(words, words.measure(name, CHECK), rows, CHECK)] if rows else []
