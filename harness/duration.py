"""Durations as scenarios write them: one number and one unit, `500ms`, `30s`, `30min`, `12h`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

#: Milliseconds in each unit, largest first.
UNITS: Final = {"h": 3_600_000, "min": 60_000, "s": 1000, "ms": 1}
EXAMPLES: Final = "500ms, 30s, 30min or 12h"

#: What people write instead, and what was most likely meant.
_SLIPS: Final = {
    "m": "min",
    "mins": "min",
    "minute": "min",
    "minutes": "min",
    "sec": "s",
    "secs": "s",
    "second": "s",
    "seconds": "s",
    "hr": "h",
    "hrs": "h",
    "hour": "h",
    "hours": "h",
    "msec": "ms",
    "millis": "ms",
}
_WRITTEN: Final = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,6})?)\s*([A-Za-z]*)", re.ASCII)


class NotADuration(ValueError):
    """`nearest` is what was probably meant, if anything."""

    def __init__(self, expected: str, nearest: str | None = None) -> None:
        self.expected, self.nearest = expected, nearest
        super().__init__(f"expected {expected}")


@dataclass(frozen=True, order=True)
class Duration:
    """A length of time in whole milliseconds, never negative. `written`: as somebody wrote it; empty: nobody did."""

    ms: int
    written: str = field(default="", compare=False, repr=False)

    def __post_init__(self) -> None:
        if self.ms < 0:
            raise ValueError(f"{self.ms} ms is less than nothing")

    @classmethod
    def parse(cls, text: str, meant: str = "s") -> Duration:
        """Raises NotADuration for anything but a number and a unit, and for parts of a millisecond.

        `meant` is the unit that a number alone was most likely meant in.
        """
        found = _WRITTEN.fullmatch(text.strip())
        if not found:
            raise NotADuration(f"a duration: {EXAMPLES}")
        number, unit = found.groups()
        if unit not in UNITS:
            right = _SLIPS.get(unit.lower()) if unit else meant
            raise NotADuration(f"a duration with its unit: {EXAMPLES}", right and f"{number}{right}")
        ms = Decimal(number) * UNITS[unit]
        if ms != int(ms):
            raise NotADuration("a duration in whole milliseconds")
        return cls(int(ms), text.strip())

    @classmethod
    def of(cls, seconds: float) -> Duration:
        """To the nearest millisecond."""
        return cls(round(seconds * 1000))

    @property
    def s(self) -> float:
        """In seconds."""
        return self.ms / 1000

    def __add__(self, other: Duration) -> Duration:
        return Duration(self.ms + other.ms)

    def __str__(self) -> str:
        """As it was written; else the shortest way to write it that `parse` reads back as the same."""
        if self.written:
            return self.written
        if not self.ms:
            return "0s"
        unit = next(unit for unit, ms in UNITS.items() if self.ms % ms == 0)
        return f"{self.ms // UNITS[unit]}{unit}"
