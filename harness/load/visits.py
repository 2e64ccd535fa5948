"""How often people visit the service besides answering: as usual, and many times as often after a disaster.

After 2011-03-11 the traffic of a social network was 8 times the usual at once and about twice for days, while that of
the affected area fell to about 40 % of its usual (IPA). How often is usual, and when the first rush is over, are
settings.

    times the usual   8 ┤██████
                      2 ┤██████████████████████████   elsewhere
                    0.4 ┤██████████████████████████   in the affected area
                        └── lasts ──────────────── drill minutes since everyone knows
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Visits:
    """As usual a person visits every `every_min` drill minutes; `at_once` times as often for `lasts_min` after everyone
    knows, `then` times as often from there on; in the areas `affected`, `there` times as often all the time.
    """

    every_min: float
    at_once: float
    lasts_min: float
    then: float
    there: float
    affected: tuple[str, ...]

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> Visits:
        """From what `dataclasses.asdict` made of one."""
        return cls(**{**data, "affected": tuple(data["affected"])})

    def times(self, minute: float, area: str) -> float:
        """How many times as often as usual somebody who lives there visits at that minute."""
        if area in self.affected:
            return self.there
        return self.at_once if minute < self.lasts_min else self.then

    def following(self, minute: float, area: str, drawn: float) -> float:
        """The minute of a person's next visit after `minute`, infinite for none; `drawn` in [0, 1) is chance.

        Visits are a Poisson process whose rate changes once: the expected number of visits until the next one is
        exponentially distributed.
        """
        expected = -math.log1p(-drawn) * self.every_min
        times = self.times(minute, area)
        if area not in self.affected and minute < self.lasts_min:
            in_the_rush = (self.lasts_min - minute) * times
            if expected > in_the_rush:
                return self._after(self.lasts_min, expected - in_the_rush, self.then)
        return self._after(minute, expected, times)

    @staticmethod
    def _after(minute: float, expected: float, times: float) -> float:
        return minute + expected / times if times > 0 else math.inf
