"""What the probes saw: of every mark, what it did to each capability at each vantage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from harness.checks.columns import Ints, ints, is_one_of, rows, says, words
from harness.checks.outages import SECOND, Effect, Mark, Series, measure
from harness.checks.recording import Fault, Recording
from harness.rundir import Json

CAPABILITIES: Final = ("write", "read", "login", "feed", "delivery", "attach")
#: What the prober says of probes that tell nothing of the service: it was stopped, or was itself held up.
NO_PROBE: Final = ("stopped", "the observer was late", "nobody free to write")


@dataclass(frozen=True)
class Seen:
    """What one mark did to one capability at one vantage."""

    capability: str
    vantage: str
    effect: Effect
    reasons: str
    first_ok_ns: int | None  # the first success of a probe begun in the outage or after it
    watched_s: float  # from the first bad probe to the last probe at all

    @property
    def rto_s(self) -> float | None:
        """Where nothing was broken, by a runbook or at all, there is no fault to count from: the outage itself."""
        return self.effect.outage_s if self.effect.mark.kind in ("start", "run") else self.effect.rto_s

    @property
    def lasting(self) -> bool:
        return self.effect.rto_s is None

    def row(self, recording: Recording) -> Json:
        def at_s(at_ns: int | None) -> float | None:
            return None if at_ns is None else recording.at_s(at_ns)

        return {
            "mark": self.effect.mark.name,
            "kind": self.effect.mark.kind,
            "capability": self.capability,
            "vantage": self.vantage,
            "rto_s": rounded(self.rto_s),
            "outage_s": rounded(self.effect.outage_s),
            "from_s": at_s(self.effect.first_bad_ns),
            "restored_s": at_s(self.effect.restored_ns),
            "failed": self.effect.failed,
            "stalled": self.effect.stalled,
            "inside": self.effect.inside,
            "reasons": self.reasons,
        }


#: The probes of each capability and vantage, and what each of them said.
Probed = Mapping[tuple[str, str], tuple[Series, Sequence[str | None]]]


def told(probed: Probed, marks: Sequence[Mark]) -> list[Seen]:
    """What each mark did to each capability at each vantage."""
    return [
        _of(capability, vantage, one, details, effect)
        for (capability, vantage), (one, details) in probed.items()
        for effect in measure(one, marks)
    ]


def marks(recording: Recording) -> list[Mark]:
    """What was done to the service, by time: faults, undoings, runbooks; in a calm run, the beginning."""
    found = []
    let_down_ns = _let_down_ns(recording)
    for fault in recording.faults:
        found.append(Mark(fault.id, "fault", fault.injecting_ns, _in_force_ns(fault, let_down_ns)))
        if fault.undoing_ns is not None:
            found.append(Mark(fault.id, "undo", fault.undoing_ns, fault.undone_ns or fault.undoing_ns))
    for event in recording.events:
        if event.kind == "runbook.started":
            found.append(Mark(str(event.data.get("performance")), "run", event.at_ns, event.at_ns))
    if not found:
        start_ns = recording.clock.start_ns
        found.append(Mark("start", "start", start_ns, start_ns))
    return sorted(found, key=lambda mark: mark.begins_ns)


def _let_down_ns(recording: Recording) -> Ints:
    """When each probe was due that was not served."""
    probes = recording.probes
    failed = ~is_one_of(probes, "outcome", "ok") & ~says(probes, "detail", *NO_PROBE)
    return ints(probes, "intended_ns")[failed]


def _in_force_ns(fault: Fault, let_down_ns: Ints) -> int:
    """From when a fault counts: from the first probe that it let down, and from the end of its injection at the latest.

    An injection that takes seconds, as many containers do that are killed, has its effect before it ends.
    """
    meanwhile = (let_down_ns >= fault.injecting_ns) & (let_down_ns < fault.at_ns)
    return int(let_down_ns[meanwhile].min(initial=fault.at_ns))


def series(recording: Recording) -> Probed:
    """The probes of each capability and vantage, with what each failure said, in the order of their intention."""
    probes = rows(recording.probes, ~says(recording.probes, "detail", *NO_PROBE))
    found: dict[tuple[str, str], tuple[Series, Sequence[str | None]]] = {}
    for capability in CAPABILITIES:
        of_capability = is_one_of(probes, "kind", capability)
        for vantage in words(probes, "vantage"):
            own = rows(probes, of_capability & is_one_of(probes, "vantage", vantage)).sort_by("intended_ns")
            if own.num_rows:
                one = Series(
                    ints(own, "intended_ns"), ints(own, "completed_ns"), is_one_of(own, "outcome", "ok")
                )
                found[capability, vantage] = (one, own.column("detail").to_pylist())
    return found


def _of(capability: str, vantage: str, one: Series, details: Sequence[str | None], effect: Effect) -> Seen:
    if effect.first_bad_ns is None:
        return Seen(capability, vantage, effect, "", None, 0.0)
    begun = one.ok & (one.intended_ns >= effect.first_bad_ns)
    first_ok_ns = int(one.completed_ns[begun].min()) if begun.any() else None
    watched_s = (int(one.intended_ns[-1]) - effect.first_bad_ns) / SECOND
    return Seen(
        capability,
        vantage,
        effect,
        _reasons(details, one, effect.first_bad_ns, effect.restored_ns),
        first_ok_ns,
        watched_s,
    )


def _reasons(details: Sequence[str | None], one: Series, from_ns: int, until_ns: int | None) -> str:
    """What the failures between two instants said, most frequent first."""
    last = len(details) if until_ns is None else int(np.searchsorted(one.intended_ns, until_ns))
    first = int(np.searchsorted(one.intended_ns, from_ns))
    said = Counter(str(details[row]) for row in range(first, last) if not one.ok[row])
    return ", ".join(f"{what} ({count})" for what, count in said.most_common(4))


def rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
