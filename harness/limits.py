"""What is more than can be played, and why: of people, of companies, of the drill's clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from topology.document import Value


@dataclass(frozen=True)
class Limit:
    """`most` is the last that can be played; `why` ends the sentence "at most …: "."""

    most: int
    why: str

    def hold(self, value: Value, number: float) -> None:
        """Raises BadInput, at the value that was written, for more than that."""
        if not number <= self.most:
            raise value.bad(f"at most {self.most:,}: {self.why}")


#: Measured: 0.3 kB a person, 0.9 kB with the row that enrols them. Every process of the load makes all of them.
PEOPLE: Final = Limit(1_000_000, "each takes about a kilobyte of memory in every process that plays them")
#: See `harness.load.population.PROBE_COMPANY`.
COMPANIES: Final = Limit(900_000, "the numbers after it are those of the harness's own companies")
#: The hold is `harness.checks.telegrams.HOLD_DRILL_S`; what is over sooner than users are looked at nobody sees.
CLOCK: Final = Limit(
    6_000, "beyond it the ten minutes before a broadcast are shorter than the 0.1 s between two probes"
)
