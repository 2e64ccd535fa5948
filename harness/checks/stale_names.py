"""Users behind caches that kept old names: how long until they were answered again, against everybody else.

A site that is up serves nobody who is still sent to the old one. So where a run made caches keep their answers, their
users are told apart from the others, and it is said how much longer they waited. A run in which they waited no longer
shows nothing about names that spread slowly, however well all went.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from harness.checks.columns import Flags, ints, is_one_of
from harness.checks.crowd import attempts, served_again
from harness.checks.outages import Mark
from harness.checks.recording import Recording
from harness.checks.terms import Breach, Term, quantity, unknown
from harness.rundir import Json

VERB: Final = "stale"
TERMS: Final = {
    "stale_users": Term(
        "duration",
        "stale_users_s",
        "at most",
        "time until 99% of those behind caches that kept the old name were answered again",
        deadline=True,
    ),
    "stale_longer": Term(
        "duration", "stale_longer_s", "at least", "how much longer they waited than the others"
    ),
}
#: A resolver of the topology that does not say how many caches it has.
CACHES: Final = "10"


@dataclass(frozen=True)
class Kept:
    """At one carrier the first `keeping` of its resolver's `caches` kept what they had been told."""

    carrier: str
    caches: int
    keeping: int

    def users(self, recording: Recording) -> Flags:
        """Which operations are of people behind one of them: a person's cache is their number modulo all caches."""
        table = recording.operations
        return is_one_of(table, "vantage", self.carrier) & (ints(table, "key") % self.caches < self.keeping)


def kept(recording: Recording) -> list[Kept]:
    """What was made to keep its answers, by what was planned and what stood there."""
    topology = recording.topology
    found = []
    for fault in recording.faults:
        share = _share(recording, fault.id)
        if fault.verb != VERB or fault.injected_ns is None or share is None or topology is None:
            continue
        for carrier in topology.carriers.values():
            if carrier.resolver in fault.nodes:
                caches = int(topology.nodes[carrier.resolver].environment.get("RESOLVERS", CACHES))
                found.append(Kept(carrier.name, caches, round(share * caches)))
    return found


def measured(recording: Recording, marks: Sequence[Mark], ends_ns: int) -> Mapping[str, Json]:
    """How long those users waited, how long the others did; empty where no cache was made to keep anything."""
    keeping = kept(recording)
    if not keeping:
        return {}
    behind = np.logical_or.reduce([each.users(recording) for each in keeping])
    stale_s, others_s = (_waited_s(recording, marks, ends_ns, of) for of in (behind, ~behind))
    longer_s = None if stale_s is None or others_s is None else round(stale_s - others_s, 3)
    return {"stale_users_s": stale_s, "other_users_s": others_s, "stale_longer_s": longer_s}


def too_short(found: Mapping[str, Json], want: Json) -> list[Breach]:
    """What a run does not show in which they did not wait as much longer as it needs to show anything."""
    longer_s = found.get("stale_longer_s")
    if not isinstance(want, int | float) or not isinstance(longer_s, int | float) or longer_s >= want:
        return []
    return [
        unknown(
            f"users behind caches that kept the old name waited {quantity(longer_s, 'duration')} longer than the"
            f" others, less than the {quantity(want, 'duration')} without which nothing is shown of names that spread"
            " slowly"
        )
    ]


def _waited_s(recording: Recording, marks: Sequence[Mark], ends_ns: int, of: Flags) -> float | None:
    """The worst fault decides; None, for never or nobody, is worse than any."""
    waited = served_again(*attempts(recording.operations, of), marks, ends_ns)
    known = [s for mark, s in zip(marks, waited, strict=True) if mark.kind == "fault"]
    told = [s for s in known if s is not None]
    return max(told) if told and len(told) == len(known) else None


def _share(recording: Recording, fault: str) -> float | None:
    """What share of a carrier's caches was planned to keep its answers."""
    timeline = recording.plan.get("timeline")
    for entry in timeline if isinstance(timeline, list) else ():
        if isinstance(entry, Mapping) and entry.get("id") == fault:
            aim = entry.get("aim")
            share = aim.get("share") if isinstance(aim, Mapping) else None
            return float(share) if isinstance(share, int | float) else None
    return None
