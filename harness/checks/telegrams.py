"""The telegrams that were published, the companies that were enrolled, and which of them wants which."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
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
#: The agency's codes (警報等情報要素): tsunami warnings and great tsunami warnings; the special weather warnings.
WARNINGS: Final = {
    TSUNAMI: frozenset({"51", "52", "53"}),
    SPECIAL: frozenset({"32", "33", "35", "36", "37", "38"}),
}
#: Weather telegrams name no event: what one office says of one day is one. This is the agency's only office here.
OFFICE: Final = "気象庁本庁"
JST: Final = timezone(timedelta(hours=9))


@dataclass(frozen=True)
class Telegram:
    """One telegram as it was handed to the agency. `areas`: code -> what is said of it; None if nobody recorded them.

    `reported`, `serial`: when the agency says that it said so (seconds), and its number; 0 where nobody recorded it.
    """

    at_ns: int
    event: str
    kind: str
    info: str
    status: str
    areas: Mapping[str, str] | None
    reported: float = 0.0
    serial: int = 0

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
    coasts: frozenset[str] = frozenset()
    prefectures: frozenset[str] = frozenset()

    def wants(self, telegram: Telegram) -> bool:
        """Of each table of areas that its rule names any of, only those concern it: the same code is another place."""
        said = telegram.areas or {}
        if (warnings := WARNINGS.get(telegram.kind)) is not None:
            tsunami = telegram.kind == TSUNAMI
            wish, places = (self.tsunami, self.coasts) if tsunami else (self.special, self.prefectures)
            return wish and any(
                word in warnings and (not places or code in places) for code, word in said.items()
            )
        floor = INTENSITIES.index(self.least)
        return any(
            INTENSITIES.index(intensity) >= floor and (not self.areas or code in self.areas)
            for code, intensity in said.items()
        )


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
    words = ("event_id", "info", "status", "serial")
    return all(str(telegram.get(name)) == str(event.data.get(name)) for name in words)


def _telegram(event: Event, words: Mapping[str, Json]) -> Telegram:
    areas, serial = words.get("areas"), event.data.get("serial")
    kind, reported = str(words.get("kind", "")), _time(words.get("reported"))
    name = str(event.data.get("event_id", ""))
    if not name and reported is not None:
        name = f"{kind}-{OFFICE}-{reported.astimezone(JST):%Y%m%d}"
    return Telegram(
        at_ns=event.at_ns,
        event=name,
        kind=kind,
        info=str(event.data.get("info", "")),
        status=str(event.data.get("status", "")),
        areas={str(code): str(most) for code, most in areas.items()} if isinstance(areas, dict) else None,
        reported=reported.timestamp() if reported is not None else 0.0,
        serial=serial if isinstance(serial, int) else 0,
    )


def _time(written: Json) -> datetime | None:
    return datetime.fromisoformat(written) if isinstance(written, str) else None


def hold_ns(scale: float) -> int:
    """The hold in real nanoseconds; `scale` is drill seconds to a real second."""
    return round(HOLD_DRILL_S / scale * 1e9)


def enrolled(rows: Sequence[Mapping[str, Json]]) -> list[Company] | None:
    """The companies that get broadcasts, of final/companies.jsonl; None if it does not tell their rules."""
    if any("least" not in row for row in rows):
        return None
    return [_company(row) for row in rows if not row.get("standing")]


def _company(row: Mapping[str, Json]) -> Company:
    return Company(
        number(row, "company"),
        number(row, "people"),
        _codes(row, "areas"),
        str(row["least"]),
        bool(row.get("tsunami")),
        bool(row.get("special")),
        _codes(row, "coasts"),
        _codes(row, "prefectures"),
    )


def _codes(row: Mapping[str, Json], name: str) -> frozenset[str]:
    codes = row.get(name)
    return frozenset(str(code) for code in codes) if isinstance(codes, list) else frozenset()
