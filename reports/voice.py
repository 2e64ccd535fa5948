"""Calls beside packets: why people answer on a web page and not by telephone.

Calls are not simulated. What share of them is blocked follows from how many are tried, by Erlang's loss formula (B);
what the carriers restricted stands in the run's congestion profile, with its source; and what became of packets was
measured.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from harness.checks.columns import is_one_of, rows, says
from harness.rundir import Json
from reports.names import Names
from reports.reading import Record
from reports.tables import Cell, Table, cell
from reports.words import Words

#: Calls at docomo on 2011-03-11, in times the usual (PUB).
DEMAND: Final = (50, 60)
#: Settings, not figures: how many circuits share a load, and what share of calls may be blocked on any other day.
CIRCUITS: Final = 100
USUAL_LOSS: Final = 0.01


def erlang_b(circuits: int, offered: float) -> float:
    """The share of calls that find all circuits taken, when `offered` erlangs are tried and nobody waits.

    Erlang's B formula by its recursion over the number of circuits, which neither overflows nor loses digits:
    1/B(0) = 1, 1/B(n) = 1 + n/offered · 1/B(n-1) (Iversen, Teletraffic Engineering Handbook, ITU-D, chapter 7).
    """
    if circuits < 0 or offered < 0:
        raise ValueError(f"expected circuits and a load of 0 or more, found {circuits} and {offered}")
    if offered == 0:
        return 0.0 if circuits else 1.0
    inverse = 1.0
    for number in range(1, circuits + 1):
        inverse = 1.0 + number / offered * inverse
        if np.isinf(inverse):
            return 0.0
    return 1.0 / inverse


def usual_load(circuits: int, loss: float) -> float:
    """The load at which that share of the calls is blocked, in erlangs; to a thousandth of one."""
    low, high = 0.0, float(circuits)
    while erlang_b(circuits, high) < loss:
        high *= 2
    while high - low > 1e-3:
        middle = (low + high) / 2
        low, high = (middle, high) if erlang_b(circuits, middle) < loss else (low, middle)
    return low


def blocked(times: float) -> float:
    """The share of calls that is blocked at so many times the usual demand."""
    return erlang_b(CIRCUITS, times * usual_load(CIRCUITS, USUAL_LOSS))


@dataclass(frozen=True)
class Carrier:
    """At the worst: the share of calls restricted, and of new connections refused; `served` was measured of the web
    attempts of its people, None if there were none.
    """

    name: str
    calls: float
    packets: float
    served: float | None


def carriers(record: Record) -> list[Carrier]:
    """Those of which the run's congestion says what became of calls, in the profile's order; none without one."""
    calls: dict[str, float] = {}
    packets: dict[str, float] = {}
    for aim in _restrictions(record):
        voice, effects = aim.get("voice"), aim.get("carriers")
        for name, steps in voice.items() if isinstance(voice, Mapping) else ():
            shares = (
                [step[1] for step in steps if isinstance(step, Sequence)] if isinstance(steps, list) else []
            )
            calls[name] = max([calls.get(name, 0.0), *(float(str(share)) for share in shares)])
        for name, each in effects.items() if isinstance(effects, Mapping) else ():
            refused = (
                [each.get(kind, 0.0) for kind in ("refused", "silence")] if isinstance(each, Mapping) else []
            )
            packets[name] = max(packets.get(name, 0.0), sum(float(str(share)) for share in refused))
    return [
        Carrier(name, share, packets.get(name, 0.0), _served(record, name)) for name, share in calls.items()
    ]


def table(record: Record, names: Names, words: Words) -> Table:
    """The same as rows, in the report's language."""
    lines = [
        (
            Cell(names.carrier(one.name), one.name, False),
            cell(words, "calls_share", one.calls),
            cell(words, "packets_share", one.packets),
            cell(words, "served_share", one.served),
        )
        for one in carriers(record)
    ]
    headings = (words("voice.carrier"), words("voice.calls"), words("voice.packets"), words("voice.served"))
    return Table("", headings, tuple(lines))


def _restrictions(record: Record) -> list[Mapping[str, Json]]:
    timeline = record.plan.get("timeline")
    aims = (
        [entry.get("aim") for entry in timeline if isinstance(entry, Mapping)]
        if isinstance(timeline, list)
        else []
    )
    return [aim for aim in aims if isinstance(aim, Mapping) and "profile" in aim]


def _served(record: Record, carrier: str) -> float | None:
    """Of all attempts of its people to send an answer or to open a page, the share that was served."""
    tried = is_one_of(record.load, "kind", "answer", "look") & is_one_of(record.load, "vantage", carrier)
    table = rows(record.load, tried & ~says(record.load, "detail", "stopped"))
    return float(is_one_of(table, "outcome", "ok").mean()) if table.num_rows else None
