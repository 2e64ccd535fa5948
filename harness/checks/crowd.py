"""Users, all of them: from when on nearly every attempt was answered again, after something was done to the service.

    attempts   ok ok | x  x  ok x  ok x ok ok x ok ok ok ok ok …
                   fault              |<- 2 s: 99 % answered, and so it stays
                     |<--- seconds -->|

The probes say when the service is back at all; this says when it is back for those who come by old names, too. Attempts
are the tries of the load's people, whether they send an answer or fetch a page; one counts where it was begun.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pyarrow as pa

from harness.checks.columns import Flags, Ints, ints, is_one_of, rows, says
from harness.checks.outages import SECOND, WINDOW_NS, Mark

#: Of all attempts in a window, how many must be answered.
SHARE: Final = 0.99
STEP_NS: Final = SECOND // 10


def attempts(operations: pa.Table, of: Flags | None = None) -> tuple[Ints, Flags]:
    """When each attempt was begun, in order, and whether it was answered; `of`: which operations count, all if None.

    Those that the run's end cut are left out.
    """
    chosen = is_one_of(operations, "kind", "answer", "look") & ~says(operations, "detail", "stopped")
    if of is not None:
        chosen = chosen & of
    table = rows(operations, chosen)
    begun, ok = ints(table, "invoked_ns"), is_one_of(table, "outcome", "ok")
    order = np.argsort(begun, kind="stable")
    return begun[order], ok[order]


def served_again(begun_ns: Ints, ok: Flags, marks: Sequence[Mark], ends_ns: int) -> list[float | None]:
    """For each mark, in order, the seconds until users were served again; 0 where they always were, None for never.

    What begins before the next mark is laid at a mark's door, for as long as it lasts. `ends_ns`: nobody looked later.
    """
    if not len(marks):
        return []
    if not len(begun_ns):
        return [None for _ in marks]
    first_ns = marks[0].at_ns
    starts = np.arange(first_ns, max(first_ns + 1, ends_ns - WINDOW_NS + 1), STEP_NS)
    answered = np.concatenate([[0], np.cumsum(ok)])
    low, high = np.searchsorted(begun_ns, starts), np.searchsorted(begun_ns, starts + WINDOW_NS)
    count, good = high - low, answered[high] - answered[low]
    bad, seen = good < SHARE * count, count > 0
    nexts = [mark.at_ns for mark in marks[1:]] + [ends_ns]
    return [_seconds(starts, bad, seen, mark.at_ns, until) for mark, until in zip(marks, nexts, strict=True)]


def _seconds(starts: Ints, bad: Flags, seen: Flags, at_ns: int, until_ns: int) -> float | None:
    first = int(np.searchsorted(starts, at_ns))
    # Windows that reach past the next mark are full of what that one did; one is looked at in any case.
    end = max(first + 1, int(np.searchsorted(starts, until_ns - WINDOW_NS, side="right")))
    troubled = np.flatnonzero(bad[first:end])
    if not len(troubled):
        return 0.0 if seen[first:end].any() else None
    last = first + int(troubled[-1])
    # An outage that is not over at the next mark goes on until two seconds without any trouble.
    gap = WINDOW_NS // STEP_NS
    if last >= end - gap:
        while len(more := np.flatnonzero(bad[last + 1 : last + 1 + gap])):
            last += 1 + int(more[-1])
    well = np.flatnonzero(seen[last + 1 :])
    if not len(well):
        return None
    return round((int(starts[last + 1 + int(well[0])]) - at_ns) / SECOND, 3)
