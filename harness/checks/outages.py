"""Outages as users saw them: one capability at one vantage, from its probes alone.

         fault                  undone
    ok ok  |  x  x  ~  x  ok ok ok | ok x ok ok        x failed   ~ answered, but nobody was served meanwhile
           |  |<-- outage -->|
           |<----- RTO ----->|  restored: the first success after which every probe that is begun succeeds, for at
                                least 2 s

Users are out of service from the first probe that fails, or that waits in a pause in which nobody is served. One probe
that is slow while others are served is no outage. A mark is an instant at which something was done to the service: a
fault, or its undoing. What goes wrong after a mark and before the next one is laid at its door.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from harness.checks.columns import Flags, Ints

SECOND: Final = 1_000_000_000
#: For how long every probe has to succeed before the service counts as restored.
WINDOW_NS: Final = 2 * SECOND
#: Whoever waits longer than this is not being served; what is slow by nature gets three times its own median.
STALL_NS: Final = SECOND // 2
STALL_MEDIANS: Final = 3
#: A pause in which nothing failed, and shorter than this, was seen by users but is nothing to recover from.
SHORT_NS: Final = SECOND


@dataclass(frozen=True)
class Mark:
    """Something done to the service. It may take hold from `begins_ns`; times are counted from `at_ns`."""

    name: str
    kind: str  # "fault" | "undo" | "run" | "start"
    begins_ns: int
    at_ns: int


@dataclass(frozen=True)
class Series:
    """The probes of one capability at one vantage, in the order in which they were intended."""

    intended_ns: Ints
    completed_ns: Ints
    ok: Flags

    @classmethod
    def of(cls, intended_ns: Ints, completed_ns: Ints, ok: Flags) -> Series:
        order = np.argsort(intended_ns, kind="stable")
        return cls(intended_ns[order], completed_ns[order], ok[order])


@dataclass(frozen=True)
class Episode:
    """Users out of service, from the first who was not served. `restored_ns` is None if that was never seen to end.

    `settled_ns` is when that first user had surely been let down: the cause came before it. `failed`: some probe
    did; without that it was a pause.
    """

    from_ns: int
    settled_ns: int
    restored_ns: int | None
    failed: bool

    @property
    def passing(self) -> bool:
        """Too short to have to be recovered from."""
        return not self.failed and self.restored_ns is not None and self.restored_ns - self.from_ns < SHORT_NS

    def lasts_at(self, mark: Mark) -> bool:
        return not self.passing and (self.restored_ns is None or self.restored_ns >= mark.begins_ns)

    @property
    def seconds(self) -> float | None:
        return None if self.restored_ns is None else (self.restored_ns - self.from_ns) / SECOND


@dataclass(frozen=True)
class Effect:
    """What one mark did to one series: RTO and outage in seconds; None where the service was never well again.

    The RTO is 0 where nobody noticed anything. `failed` and `stalled` count probes until the next mark. `inside`: the
    service was out already when the mark came.
    """

    mark: Mark
    rto_s: float | None
    outage_s: float | None
    first_bad_ns: int | None
    restored_ns: int | None
    failed: int
    stalled: int
    inside: bool


def measure(series: Series, marks: Sequence[Mark]) -> list[Effect]:
    """One effect for each mark; marks are in the order of time."""
    begins = np.array([mark.begins_ns for mark in marks], np.int64)
    stall_ns = _stall_ns(series, int(begins[0]) if len(begins) else 0)
    # A probe belongs to the mark in force when it ended, or had waited too long: one that was under way at a mark,
    # and until then had done nothing wrong, is that mark's.
    settled = np.minimum(series.completed_ns, series.intended_ns + stall_ns)
    owner = np.searchsorted(begins, settled, side="right") - 1
    stalled = series.ok & (series.completed_ns - series.intended_ns > stall_ns)
    found = list(episodes(series, stall_ns))
    owners = np.searchsorted(begins, [episode.settled_ns for episode in found], side="right") - 1
    return [
        _effect(
            mark,
            [episode for episode, at in zip(found, owners, strict=True) if at == number],
            [
                episode
                for episode, at in zip(found, owners, strict=True)
                if at < number and episode.lasts_at(mark)
            ],
            failed=int(np.count_nonzero((owner == number) & ~series.ok)),
            stalled=int(np.count_nonzero((owner == number) & stalled)),
        )
        for number, mark in enumerate(marks)
    ]


def episodes(series: Series, stall_ns: int) -> Iterator[Episode]:
    """Every outage of the series, in the order of time; between two of them lie two seconds without any."""
    troubles = sorted([*_failures(series, stall_ns), *_pauses(series, stall_ns)])
    served = np.sort(series.completed_ns[series.ok])
    while troubles:
        first = troubles[0]
        taken, needed_ns, restored_ns = 0, 0, None
        while taken < len(troubles) and (
            restored_ns is None or troubles[taken].from_ns < restored_ns + WINDOW_NS
        ):
            needed_ns = max(needed_ns, troubles[taken].until_ns)
            at = int(np.searchsorted(served, needed_ns))
            if at == len(served):
                taken, restored_ns = len(troubles), None
                break
            restored_ns = int(served[at])
            taken += 1
        if restored_ns is not None and not _watched(series, restored_ns):
            restored_ns = None
        failed = any(trouble.failed for trouble in troubles[:taken])
        yield Episode(first.from_ns, first.settled_ns, restored_ns, failed)
        del troubles[:taken]


@dataclass(frozen=True, order=True)
class _Trouble:
    """A probe that failed, or a pause: the service is not well before `until_ns`."""

    from_ns: int
    settled_ns: int
    until_ns: int
    failed: bool


def _failures(series: Series, stall_ns: int) -> Iterator[_Trouble]:
    rows = np.flatnonzero(~series.ok)
    for intended, completed in zip(
        series.intended_ns[rows].tolist(), series.completed_ns[rows].tolist(), strict=True
    ):
        yield _Trouble(intended, min(completed, intended + stall_ns), intended + 1, True)


def _pauses(series: Series, stall_ns: int) -> Iterator[_Trouble]:
    """Spans in which nobody was served though somebody waited, longer than a stall and the time between two probes."""
    served = np.sort(series.completed_ns[series.ok])
    waits = series.completed_ns - series.intended_ns > stall_ns
    for at in np.flatnonzero(np.diff(served) > stall_ns + _period_ns(series)).tolist():
        begins, ends = int(served[at]), int(served[at + 1])
        waited = waits & (series.intended_ns + stall_ns <= ends) & (series.completed_ns >= ends)
        if waited.any():
            first = max(int(series.intended_ns[waited].min()), begins)
            yield _Trouble(first, first + stall_ns, ends, False)


def _effect(
    mark: Mark, own: Sequence[Episode], earlier: Sequence[Episode], *, failed: int, stalled: int
) -> Effect:
    grave = [*earlier, *(episode for episode in own if not episode.passing)]
    ends = [episode.restored_ns for episode in grave]
    restored_ns = None if None in ends else max((end for end in ends if end is not None), default=None)
    first_ns = min((max(episode.from_ns, mark.begins_ns) for episode in (grave or own)), default=None)
    if not grave:
        rto_s: float | None = 0.0
        outage_s: float | None = max((episode.seconds or 0.0 for episode in own), default=0.0)
    elif restored_ns is None or first_ns is None:
        rto_s = outage_s = None
    else:
        rto_s = max(0, restored_ns - mark.at_ns) / SECOND
        outage_s = (restored_ns - first_ns) / SECOND
    return Effect(mark, rto_s, outage_s, first_ns, restored_ns, failed, stalled, bool(earlier))


def _stall_ns(series: Series, steady_until_ns: int) -> int:
    """How long is too long: half a second, or thrice the median of the steady state where that is more."""
    steady = series.ok & (series.completed_ns < steady_until_ns)
    latency = (series.completed_ns - series.intended_ns)[steady]
    return max(STALL_NS, STALL_MEDIANS * int(np.median(latency))) if len(latency) else STALL_NS


def _watched(series: Series, from_ns: int) -> bool:
    """Whether there were probes for two seconds from here on."""
    return int(series.intended_ns[-1]) >= from_ns + WINDOW_NS - 2 * _period_ns(series)


def _period_ns(series: Series) -> int:
    return int(np.median(np.diff(series.intended_ns))) if len(series.intended_ns) > 1 else 0
