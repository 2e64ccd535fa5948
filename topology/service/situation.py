"""What is known of an event, from all its telegrams, in whatever order they came. The rule of every broadcast:

1. Only telegrams of status 通常 count. 訓練 (training) and 試験 (test) reach nobody.
2. Telegrams of one kind (震度速報, 震源・震度, 津波, 気象) speak of one matter. A cancellation (取消) takes back what
   its own kind said of the event until then, by the agency's clock, and no more: that a tsunami warning is taken back
   does not undo the earthquake; that the first intensities are taken back does not undo those told later.
3. What is said anew (発表) after a cancellation stands, and the hold begins anew with its arrival.
4. A correction (訂正) replaces what its kind said of areas before it, and not when it was said: the hold goes on.
5. Of intensities the greatest for each area counts. Of warnings the latest word counts: a tsunami warning is in
   force while that names a coast with 51, 52 or 53 (警報, 大津波警報), a special warning while it names one (特別警報)
   that is not lifted (解除). Advisories and forecasts (注意報, 予報) are no warnings.
6. The hold begins when the first telegram arrives that still stands. When it is over, and with every later telegram,
   each company is told that what stands now concerns (`rules.matches`) and that was not told of the event before.
   Nothing is sent twice for an event, also if it was cancelled after the broadcast and announced again.
7. An event is what the agency names so (EventID). Weather telegrams have no name: what one office says of a day is one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Final

from topology.service.report import Report
from topology.service.rules import Warnings, strength
from topology.service.telegram import CANCEL, CORRECTION, OTHER, REAL, TSUNAMI, WEATHER, Telegram

UNNUMBERED: Final = 0


@dataclass(frozen=True)
class Situation:
    """`areas`: the greatest intensity by seismic area. `since_ns`: when the first word arrived that still stands; None
    if nothing does.

    `cancelled`: something was said, and all of it was taken back.
    """

    areas: Mapping[str, str]
    warned: Warnings
    since_ns: int | None
    cancelled: bool


def situation(reports: Iterable[Report]) -> Situation:
    """What stands now, of one event. Only telegrams of status 通常 count."""
    real = sorted(
        (report for report in reports if report.telegram.status == REAL and report.telegram.kind != OTHER),
        key=lambda report: report.telegram.kind,
    )
    areas: dict[str, str] = {}
    warned = Warnings()
    since: list[int] = []
    for kind, group in groupby(real, key=lambda report: report.telegram.kind):
        standing = _standing(list(group))
        since += [report.received_at_ns for report in standing]
        current = _corrected(standing)
        if current and kind in (TSUNAMI, WEATHER):
            warned = _and(warned, current[-1].telegram)
        for report in current if kind not in (TSUNAMI, WEATHER) else ():
            _raise_to(areas, report.telegram.areas)
    return Situation(areas, warned, min(since, default=None), bool(real) and not since)


def _and(warned: Warnings, latest: Telegram) -> Warnings:
    """With the latest word on the coasts or on the weather."""
    if latest.kind == TSUNAMI:
        return replace(warned, tsunami=latest.tsunami, coasts=frozenset(latest.areas))
    return replace(warned, special=latest.special, prefectures=frozenset(latest.areas))


def _standing(reports: list[Report]) -> list[Report]:
    """Those of one kind that no cancellation takes back, oldest first by the agency's clock."""
    cancelling = [report.telegram for report in reports if report.telegram.info == CANCEL]
    issued = [report for report in reports if report.telegram.info != CANCEL]
    standing = [r for r in issued if not any(_takes_back(cancel, r.telegram) for cancel in cancelling)]
    return sorted(
        standing, key=lambda report: (report.telegram.reported, report.telegram.serial, report.number)
    )


def _takes_back(cancel: Telegram, issued: Telegram) -> bool:
    """Times are given to the minute, so serial numbers decide where both have one."""
    if UNNUMBERED not in (cancel.serial, issued.serial) and cancel.reported == issued.reported:
        return issued.serial <= cancel.serial
    return issued.reported <= cancel.reported


def _corrected(standing: list[Report]) -> list[Report]:
    """The last correction and what came after it."""
    for i in reversed(range(len(standing))):
        if standing[i].telegram.info == CORRECTION:
            return standing[i:]
    return standing


def _raise_to(areas: dict[str, str], seen: Mapping[str, str]) -> None:
    for code, intensity in seen.items():
        if strength(intensity) > strength(areas.get(code, "")):
            areas[code] = intensity
