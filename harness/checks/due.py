"""Whom a broadcast was due to, and when: what was published, held against every company's rule.

The rule is written down in `topology/service/situation.py`. Here it is followed anew, from what the agency was made to
say and not from what the service made of it, so that neither can hide a mistake of the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from harness.checks.telegrams import WARNINGS, Company, Telegram

CANCEL: Final = "取消"
CORRECTION: Final = "訂正"
#: A telegram may arrive this much before the harness has heard that the agency took it, or after, in real time.
HANDOVER_NS: Final = 1_000_000_000
#: How much earlier an arrival can be than that, where the service tells when it was.
EARLIEST_NS: Final = 5_000_000_000
#: A service in which nothing is broken has made a broadcast so soon after it was due. What is taken back before that
#: may have been sent or not.
PROMPT_NS: Final = 3_000_000_000
_NEVER_NS: Final = 2**63 - 1


@dataclass(frozen=True)
class Due:
    """One event that was really announced, and what it made due.

    `companies`: who may get a broadcast, and not before when. `owed`: who of them must get one; to the others it was
    taken back so near the end of the hold that either is right. `due_ns`: when the first hold ends. `cancelled`: all
    that was said was taken back in the end.
    """

    event: str
    due_ns: int
    companies: Mapping[int, int]
    owed: frozenset[int]
    cancelled: bool


def due(
    telegrams: Sequence[Telegram], companies: Sequence[Company], arrivals: Mapping[str, int], hold_ns: int
) -> list[Due]:
    """What is due for each event that was ever really announced.

    `arrivals`: when the service got each event's first telegram. One that cannot be right is not believed.
    """
    real = sorted((each for each in telegrams if each.real), key=lambda telegram: telegram.at_ns)
    names = dict.fromkeys(telegram.event for telegram in real if telegram.info != CANCEL)
    return [
        _due(name, [each for each in real if each.event == name], companies, arrivals.get(name, 0), hold_ns)
        for name in names
    ]


def _due(
    event: str, told: Sequence[Telegram], companies: Sequence[Company], arrived_ns: int, hold_ns: int
) -> Due:
    """What follows from each telegram and those before it lasts until the next is handed over."""
    untils = [*(telegram.at_ns for telegram in told[1:]), _NEVER_NS]
    holds: list[int] = []
    companies_from: dict[int, int] = {}
    owed: set[int] = set()
    standing: list[Telegram] = []
    for number, (latest, until_ns) in enumerate(zip(told, untils, strict=True), 1):
        standing = _standing(told[:number])
        if not standing:
            continue
        arrivals = [_arrival_ns(each, each is told[0], arrived_ns) for each in standing]
        holds.append(hold_ns + min(arrivals))
        from_ns = max(holds[-1], _arrival_ns(latest, number == 1, arrived_ns))
        surely_ns = PROMPT_NS + max(latest.at_ns, hold_ns + min(each.at_ns for each in standing))
        current = _in_force(standing)
        for company in companies:
            if until_ns >= from_ns and any(company.wants(telegram) for telegram in current):
                companies_from.setdefault(company.number, from_ns)
                if until_ns >= surely_ns:
                    owed.add(company.number)
    first_ns = min(holds, default=hold_ns + told[0].at_ns)
    return Due(event, first_ns, companies_from, frozenset(owed), not standing)


def _arrival_ns(telegram: Telegram, first: bool, arrived_ns: int) -> int:
    """The earliest that it can have reached the service."""
    believed = first and arrived_ns >= telegram.at_ns - EARLIEST_NS
    return min(arrived_ns, telegram.at_ns) if believed else telegram.at_ns - HANDOVER_NS


def _standing(said: Sequence[Telegram]) -> list[Telegram]:
    """What no cancellation of its own kind takes back, oldest first by the agency's clock."""
    cancelling = [telegram for telegram in said if telegram.info == CANCEL]
    standing = [
        telegram
        for telegram in said
        if telegram.info != CANCEL and not any(_takes_back(cancel, telegram) for cancel in cancelling)
    ]
    return sorted(standing, key=lambda telegram: (telegram.reported, telegram.serial))


def _takes_back(cancel: Telegram, issued: Telegram) -> bool:
    if cancel.kind != issued.kind or issued.reported > cancel.reported:
        return False
    numbered = cancel.serial and issued.serial and issued.reported == cancel.reported
    return not numbered or issued.serial <= cancel.serial


def _in_force(standing: Sequence[Telegram]) -> list[Telegram]:
    """Of each kind the last correction and what came after it; of warnings only the latest word."""
    current: dict[str, list[Telegram]] = {}
    for telegram in standing:
        if telegram.info == CORRECTION or telegram.kind in WARNINGS:
            current[telegram.kind] = []
        current.setdefault(telegram.kind, []).append(telegram)
    return [telegram for telegrams in current.values() for telegram in telegrams]
