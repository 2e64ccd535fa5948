"""When people answer: response curves measured in real drills, as functions from share to time.

A curve runs through its quantiles, on a logarithmic scale of minutes, as a monotone cubic: it never goes
back, and the stream of answers has no steps where the quantiles happen to lie.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Number = TypeVar("Number", float, Floats)


@dataclass(frozen=True)
class Curve:
    """`shares` of all who answer, from 0 to 1, and how many minutes after the mail."""

    name: str
    shares: tuple[float, ...]
    minutes_by: tuple[float, ...]

    @cached_property
    def _slopes(self) -> Floats:
        return _monotone_slopes(np.asarray(self.shares), np.log(self.minutes_by))

    def minutes(self, share: Number) -> Number:
        """Drill minutes from mail to answer for the person at `share` (0 the fastest, 1 the last).

        Uniform numbers in [0, 1) give answer times with the curve's distribution.
        """
        x, y = np.asarray(self.shares), np.log(self.minutes_by)
        at = np.clip(np.asarray(share, dtype=np.float64), 0.0, 1.0)
        i = np.clip(np.searchsorted(x, at, side="right") - 1, 0, len(x) - 2)
        width = x[i + 1] - x[i]
        t = (at - x[i]) / width
        cubic = (
            (1 + 2 * t) * (1 - t) ** 2 * y[i]
            + t * (1 - t) ** 2 * width * self._slopes[i]
            + t**2 * (3 - 2 * t) * y[i + 1]
            + t**2 * (t - 1) * width * self._slopes[i + 1]
        )
        result = np.exp(cubic)
        return float(result) if result.ndim == 0 else result  # type: ignore[return-value]

    def share(self, minutes: Number) -> Number:
        """The share of those who answer that has done so `minutes` after the mail; `minutes` inverted."""
        grid = np.linspace(0.0, 1.0, 4097)
        result = np.interp(np.asarray(minutes, dtype=np.float64), self.minutes(grid), grid, left=0.0)
        return float(result) if result.ndim == 0 else result  # type: ignore[return-value]


def _monotone_slopes(x: Floats, y: Floats) -> Floats:
    """Slopes at the points of a cubic that never overshoots (Fritsch and Butland, 1984)."""
    width, rise = np.diff(x), np.diff(y) / np.diff(x)
    before, after = 2 * width[1:] + width[:-1], width[1:] + 2 * width[:-1]
    inner = (before + after) / (before / rise[:-1] + after / rise[1:])
    return np.concatenate([rise[:1], inner, rise[-1:]])


#: All companies in the drill of 2019: fastest 1.0 min, quartiles 11.7, 51.0 and 141.0 (the vendor's paper on
#: operations). The window is 12 h (public material). The share at 6 h is not reported: it is set so that the
#: standard deviation is the reported 140.0 minutes.
EVERYONE_2019: Final = Curve(
    "everyone-2019", (0.0, 0.25, 0.5, 0.75, 0.9314, 1.0), (1.0, 11.7, 51.0, 141.0, 360.0, 720.0)
)

CURVES: Final = {curve.name: curve for curve in (EVERYONE_2019,)}


def named(name: str) -> Curve:
    """Raises ValueError for a name that no curve has."""
    if name not in CURVES:
        raise ValueError(f"no response curve is called {name}; there is {', '.join(CURVES)}")
    return CURVES[name]
