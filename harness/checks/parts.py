"""What a recovery was made of: how long until the loss was noticed, a successor chosen, promoted, and found by users.

Read from databases.arrow (who held the leader key, who took writes) and from the capability's own probes; where a
runbook moved the service to another region, from that runbook's steps, and then `confirmed` comes last. Each part
reaches from the end of the one before to its own instant; a step that was not seen is null and its time falls to the
next. What lies between the first of its users who got through and the capability restored everywhere is stated as
unexplained. A capability
that was whole again before anybody was promoted did not wait for it: of such a recovery no step is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from harness.checks.columns import Ints, ints, texts
from harness.checks.moves import CONFIRMED, move_after
from harness.checks.outages import SECOND
from harness.checks.recording import Recording

PROMOTED: Final = "promoted"
ROUTED: Final = "routed"


@dataclass(frozen=True)
class Part:
    """One step of a recovery. `seconds` is None where the step was not seen, or was none of this recovery."""

    name: str  # detected | decided | promoted | routed | unexplained, or declared | fenced | promoted | named | …
    seconds: float | None


@dataclass(frozen=True)
class Databases:
    """databases.arrow, in the order of time."""

    at_ns: Ints
    node: Sequence[str]
    wrote: Sequence[bool]
    leader: Sequence[str]

    @classmethod
    def of(cls, recording: Recording) -> Databases:
        table = recording.databases.sort_by("at_ns")
        return cls(
            ints(table, "at_ns"),
            texts(table, "node"),
            [bool(value) for value in table.column("wrote").to_pylist()],
            texts(table, "leader"),
        )


def parts(
    recording: Recording, fault_ns: int, first_ok_ns: int | None, restored_ns: int | None
) -> list[Part]:
    """The parts of one capability's recovery from the fault at `fault_ns`, which was complete at `restored_ns`.

    `first_ok_ns`: when the first of its users anywhere was served after they had been out of service.
    """
    last: list[tuple[str, int | None]] = []
    if (move := move_after(recording, fault_ns, restored_ns)) is not None:
        seen = [(name, at_ns) for name, at_ns in move.items() if name != CONFIRMED]
        last = [(CONFIRMED, move[CONFIRMED])]
        promoted_ns = move[PROMOTED]
        waited = restored_ns is None or promoted_ns is None or promoted_ns <= restored_ns
    else:
        seen = _leadership(Databases.of(recording), fault_ns, restored_ns)
        waited = restored_ns is None or dict(seen)[PROMOTED] is not None
    if not waited:
        seen, last = [(name, None) for name, _ in seen], []
    instants = [*seen, (ROUTED, first_ok_ns), ("unexplained", restored_ns), *last]
    found, reached_ns = [], fault_ns
    for name, at_ns in instants:
        if at_ns is None:
            found.append(Part(name, None))
            continue
        until_ns = max(at_ns, reached_ns)
        found.append(Part(name, round((until_ns - reached_ns) / SECOND, 3)))
        reached_ns = until_ns
    return found


def _leadership(seen: Databases, fault_ns: int, restored_ns: int | None) -> list[tuple[str, int | None]]:
    """When the old leader's key was gone, when another held it, when that one first took a write.

    Nobody known to hold the key may also mean that it could not be read; it is gone after it was last seen.
    """
    before = np.flatnonzero(seen.at_ns < fault_ns).tolist()
    old = next((seen.leader[row] for row in reversed(before) if seen.leader[row]), "")
    until_ns = restored_ns if restored_ns is not None else np.iinfo(np.int64).max
    after = np.flatnonzero((seen.at_ns >= fault_ns) & (seen.at_ns <= until_ns)).tolist()
    decided = next((row for row in after if old and seen.leader[row] not in ("", old)), None)
    if decided is None:
        return [("detected", None), ("decided", None), (PROMOTED, None)]
    detected = 1 + max(
        (row for row in after if row < decided and seen.leader[row] == old), default=after[0] - 1
    )
    new = seen.leader[decided]
    promoted = next(
        (row for row in after if row >= detected and seen.wrote[row] and seen.node[row] == new), None
    )
    return [
        ("detected", int(seen.at_ns[detected])),
        ("decided", int(seen.at_ns[decided])),
        (PROMOTED, None if promoted is None else int(seen.at_ns[promoted])),
    ]
