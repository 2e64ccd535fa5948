"""What becomes of a push notice: it comes at once, late, or never. The mail lies in its mailbox all the same.

On 2011-03-11 mail was taken as ever and the notice was what failed, so that mail came hours late and out of order. The
same mail always meets the same fate under the same restriction, and is late by as much.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

_HALF = 1 << 32


@dataclass(frozen=True)
class Push:
    """Shares of the notices that are late (by up to `within_s` real seconds) and lost; the others come at once."""

    late: float = 0.0
    lost: float = 0.0
    within_s: float = 0.0

    @classmethod
    def parse(cls, row: object) -> Push:
        """Raises ValueError that says what is wrong."""
        if not isinstance(row, dict):
            raise ValueError("expected an object {late, lost, within_s}")
        numbers = {name: row.get(name, 0.0) for name in ("late", "lost", "within_s")}
        for name, value in numbers.items():
            if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
                raise ValueError(f"{name}: expected a number of at least 0, found {value!r}")
        if numbers["late"] + numbers["lost"] > 1 + 1e-9:
            raise ValueError("late and lost: expected shares that add up to at most 1")
        return cls(**numbers)

    def wait_s(self, mail: str) -> float | None:
        """How long after its mail a notice comes, real seconds; None: never."""
        drawn = int.from_bytes(blake2b(mail.encode(), digest_size=8).digest())
        share = (drawn >> 32) / _HALF
        if share < self.lost:
            return None
        if share < self.lost + self.late:
            return self.within_s * (drawn & (_HALF - 1)) / _HALF
        return 0.0
