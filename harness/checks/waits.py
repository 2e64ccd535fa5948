"""Where mails waited on their way, how many at once, and until when: the backlog over time.

outbox     from composed to submitted        the service has it
provider   from submitted to relayed         the delivery provider has it (or until it bounced)
carrier    from relayed to stored            the carrier has it
push       from stored to noticed            it is in the mailbox, and nobody knows
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from harness.checks.columns import Flags, Ints
from harness.checks.fates import Fates
from harness.checks.legs import NEVER
from harness.rundir.history import BY_NOTICE

#: Where it waits: since when, until when (see `instants`).
PLACES: Final = {
    "outbox": ("composed", "submitted"),
    "provider": ("submitted", "left"),
    "carrier": ("relayed", "boxed"),
    "push": ("stored", "noticed"),
}


@dataclass(frozen=True)
class Backlog:
    """`peak` mails waited at once, first at `peak_ns`; the last left at `last_ns`. `left`: how many never did."""

    peak: int
    peak_ns: int
    last_ns: int | None
    left: int


def instants(fates: Fates) -> Mapping[str, Ints]:
    """When each mail came to each leg first; where a crash left no record, when it came further. NEVER: it did not.

    `left`: it left the provider, for a carrier or back; `boxed`: it was in some mailbox; `stored`: in the right one.
    """
    mails = fates.mails
    relayed, noticed, opened = mails.leg("relayed"), mails.leg("noticed"), mails.leg("opened")
    boxed = mails.firsts(mails.leg("stored"))
    at = {"boxed": boxed, "stored": mails.firsts(mails.leg("stored"), fates.right)}
    rang = np.minimum(mails.firsts(noticed, noticed.said("ok")), mails.firsts(opened, opened.said(BY_NOTICE)))
    at["noticed"] = np.maximum(rang, at["stored"])
    at["relayed"] = np.minimum(mails.firsts(relayed, relayed.said("ok")), boxed)
    at["left"] = np.minimum(at["relayed"], mails.firsts(relayed, relayed.said("bounced")))
    at["submitted"] = np.minimum(mails.firsts(mails.leg("submitted")), at["left"])
    at["composed"] = np.minimum(fates.composed_ns, at["submitted"])
    return {name: np.where(fates.composed, instant, NEVER) for name, instant in at.items()}


def backlogs(
    fates: Fates, at: Mapping[str, Ints], mails: Flags | None = None
) -> Iterator[tuple[str, Backlog]]:
    """Of every place on the way of these mails, or of all. `at` are the `instants`."""
    for place, (came, went) in PLACES.items():
        if went == "noticed" and went not in fates.mails.legs:
            continue
        there = at[came] < NEVER if mails is None else mails & (at[came] < NEVER)
        yield place, _backlog(at[came][there], at[went][there])


def over_time(
    fates: Fates, at: Mapping[str, Ints], looks_ns: Ints, mails: Flags | None = None
) -> Mapping[str, Ints]:
    """How many of these mails, or of all, waited at every place at each of these instants, which are in order."""
    found = {}
    for place, (came, went) in PLACES.items():
        if went == "noticed" and went not in fates.mails.legs:
            continue
        there = at[came] < NEVER if mails is None else mails & (at[came] < NEVER)
        found[place] = _passed(at[came][there], looks_ns) - _passed(at[went][there], looks_ns)
    return found


def _passed(at_ns: Ints, looks_ns: Ints) -> Ints:
    return np.searchsorted(np.sort(at_ns), looks_ns, side="right").astype(np.int64)


def _backlog(came_ns: Ints, went_ns: Ints) -> Backlog:
    """What leaves at an instant has left before anything is counted at it."""
    came, went = np.sort(came_ns), np.sort(went_ns)
    if not len(came):
        return Backlog(0, 0, None, 0)
    waiting = np.arange(1, len(came) + 1) - np.searchsorted(went, came, side="right")
    peak = int(waiting.argmax())
    left = int((went == NEVER).sum())
    gone = went[went < NEVER]
    return Backlog(max(0, int(waiting[peak])), int(came[peak]), int(gone[-1]) if len(gone) else None, left)
