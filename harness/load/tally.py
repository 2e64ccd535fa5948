"""What the load shows while it works."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from harness.rundir import Json

#: The live 95th percentile is over the answers of this long.
_RECENT_NS: Final = 5_000_000_000
#: Of several processes that share a load the worst is shown; everything else is counted together.
_WORST: Final = ("p95_ms", "late_ms")


@dataclass
class Tally:
    """Counts since the start, and the latest latencies.

    `answered`: acknowledged answers. `failed`: requests that were not served, as far as is known. `waiting`:
    people who set out to answer and have not been acknowledged yet. `given_up`: those who will not try again.
    `linked`: people who have their link. `strange`: errands that ended in an error of the load itself.
    """

    linked: int = 0
    answered: int = 0
    failed: int = 0
    waiting: int = 0
    given_up: int = 0
    strange: int = 0
    _recent: deque[tuple[int, int]] = field(default_factory=deque)
    _late_ns: int = 0

    def tried(self, intended_ns: int, invoked_ns: int, ok: bool) -> None:
        """A request was made, `invoked_ns - intended_ns` later than meant."""
        self.failed += not ok
        self._late_ns = max(self._late_ns, invoked_ns - intended_ns)

    def acknowledged(self, completed_ns: int, latency_ns: int) -> None:
        self.answered += 1
        self._recent.append((completed_ns, latency_ns))

    def line(self, now_ns: int) -> dict[str, int | float]:
        """The live line. `p95_ms` counts from the intended time; `late_ms`: the worst start of late."""
        while self._recent and self._recent[0][0] < now_ns - _RECENT_NS:
            self._recent.popleft()
        latencies = sorted(latency for _, latency in self._recent)
        p95_ns = latencies[int(len(latencies) * 0.95)] if latencies else 0
        late_ns, self._late_ns = self._late_ns, 0
        return {
            "answered": self.answered,
            "failed": self.failed,
            "waiting": self.waiting,
            "p95_ms": round(p95_ns / 1e6, 1),
            "late_ms": round(late_ns / 1e6, 1),
            "linked": self.linked,
            "given_up": self.given_up,
            "strange": self.strange,
        }


def together(lines: Sequence[Mapping[str, Json]]) -> Mapping[str, Json]:
    """One live line of those of several processes that share a load; empty before each of them has said something."""
    if not all(lines):
        return {}
    rows = [{key: value for key, value in line.items() if isinstance(value, int | float)} for line in lines]
    shown: dict[str, Json] = {
        key: max(row.get(key, 0) for row in rows) if key in _WORST else sum(row.get(key, 0) for row in rows)
        for key in rows[0]
    }
    troubles = [line["trouble"] for line in lines if "trouble" in line]
    return shown | ({"trouble": troubles[0]} if troubles else {})
