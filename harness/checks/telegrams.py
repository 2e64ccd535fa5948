"""Whom a broadcast was due to: what was published, held against every company's rule. The harness's own reckoning.

The rules are the service's: a telegram of status 通常 that says 発表 or 訂正 starts the hold; 取消 inside the hold ends
it; 訓練 and 試験 reach nobody. A company matches when one of its areas (none: everywhere) shakes with at least its
least intensity, or when it wants the tsunami or special weather warning that the telegram is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from harness.checks.recording import Recording, number
from harness.rundir import Event, Json

#: A broadcast leaves ten minutes after the event, so that a false alarm can be cancelled (the vendor's white paper
#: on operations).
HOLD_DRILL_S: Final = 600.0
#: JMA seismic intensities, weakest first.
INTENSITIES: Final = ("1", "2", "3", "4", "5-", "5+", "6-", "6+", "7")
TSUNAMI: Final = "VTSE41"
SPECIAL: Final = "VPWW54"
#: A telegram may arrive this much before the harness has heard that the agency took it, or after, in real time.
HANDOVER_NS: Final = 1_000_000_000
#: How much earlier an arrival can be than that, where the service tells when it was.
EARLIEST_NS: Final = 5_000_000_000


@dataclass(frozen=True)
class Telegram:
    """One telegram as it was handed to the agency. `areas`: code -> intensity; None if nobody recorded them."""

    at_ns: int
    event: str
    kind: str
    info: str
    status: str
    areas: Mapping[str, str] | None

    @property
    def real(self) -> bool:
        return self.status == "通常"


@dataclass(frozen=True)
class Company:
    number: int
    people: int
    areas: frozenset[str]
    least: str
    tsunami: bool
    special: bool

    def wants(self, telegram: Telegram) -> bool:
        if telegram.kind in (TSUNAMI, SPECIAL):
            return self.tsunami if telegram.kind == TSUNAMI else self.special
        floor = INTENSITIES.index(self.least)
        return any(
            INTENSITIES.index(intensity) >= floor and (not self.areas or code in self.areas)
            for code, intensity in (telegram.areas or {}).items()
        )


@dataclass(frozen=True)
class Due:
    """One event: the companies to which its broadcast is due, and not before `due_ns`.

    `cancelled`: nobody may get it. `close`: it was cancelled so near the end of the hold that either is right.
    """

    event: str
    due_ns: int
    companies: frozenset[int]
    cancelled: bool
    close: bool


def published(recording: Recording) -> list[Telegram]:
    """Every telegram, in the order in which it was handed over; what stood in it is what was planned."""
    planned = list(_planned(recording))
    found = []
    for event in recording.events:
        if event.kind == "published":
            words = next((each for each in planned if _same(each, event)), {})
            if words:
                planned.remove(words)
            found.append(_telegram(event, words))
    return found


def _planned(recording: Recording) -> Iterator[Mapping[str, Json]]:
    timeline = recording.plan.get("timeline")
    for entry in timeline if isinstance(timeline, list) else ():
        telegram = entry.get("telegram") if isinstance(entry, dict) else None
        if isinstance(telegram, dict):
            yield telegram


def _same(telegram: Mapping[str, Json], event: Event) -> bool:
    return all(
        str(telegram.get(name)) == str(event.data.get(name)) for name in ("event_id", "info", "status")
    )


def _telegram(event: Event, words: Mapping[str, Json]) -> Telegram:
    areas = words.get("areas")
    return Telegram(
        at_ns=event.at_ns,
        event=str(event.data.get("event_id", "")),
        kind=str(words.get("kind", "")),
        info=str(event.data.get("info", "")),
        status=str(event.data.get("status", "")),
        areas={str(code): str(most) for code, most in areas.items()} if isinstance(areas, dict) else None,
    )


def hold_ns(scale: float) -> int:
    """The hold in real nanoseconds; `scale` is drill seconds to a real second."""
    return round(HOLD_DRILL_S / scale * 1e9)


def due(
    telegrams: Sequence[Telegram], companies: Sequence[Company], arrivals: Mapping[str, int], hold_ns: int
) -> list[Due]:
    """What is due for each event that was ever really announced.

    `arrivals`: when the service got each event's first telegram. One that cannot be right is not believed.
    """
    found = []
    for event in dict.fromkeys(telegram.event for telegram in telegrams):
        real = [telegram for telegram in telegrams if telegram.event == event and telegram.real]
        said = [telegram for telegram in real if telegram.info != "取消"]
        if not said:
            continue
        told_ns = said[0].at_ns
        arrived_ns = arrivals.get(event, 0)
        believed = arrived_ns >= told_ns - EARLIEST_NS
        due_ns = hold_ns + (min(arrived_ns, told_ns) if believed else told_ns - HANDOVER_NS)
        ended = [each.at_ns for each in real if each.info == "取消" and each.at_ns > told_ns]
        close = any(abs(at_ns - told_ns - hold_ns) < HANDOVER_NS for at_ns in ended)
        cancelled = any(at_ns < due_ns for at_ns in ended)
        matching = {each.number for each in companies if any(each.wants(telegram) for telegram in said)}
        found.append(Due(event, due_ns, frozenset(matching), cancelled, close))
    return found


def enrolled(rows: Sequence[Mapping[str, Json]]) -> list[Company] | None:
    """The companies that get broadcasts, of final/companies.jsonl; None if it does not tell their rules."""
    if any("least" not in row for row in rows):
        return None
    return [_company(row) for row in rows if not row.get("standing")]


def _company(row: Mapping[str, Json]) -> Company:
    areas = row.get("areas")
    return Company(
        number(row, "company"),
        number(row, "people"),
        frozenset(str(code) for code in areas) if isinstance(areas, list) else frozenset(),
        str(row["least"]),
        bool(row.get("tsunami")),
        bool(row.get("special")),
    )
