"""What one person will do, drawn from the seed: the same person in the same drill always does the same."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Final

#: Of those who answer: safe, slightly hurt, in need of help; who cannot come to work. Settings, not figures.
_STATUSES: Final = (("safe", 0.95), ("slight", 0.99), ("help", 1.0))
_CANNOT_COME: Final = 0.2

#: A second answer or look comes this long after the first answer, in drill minutes. A setting, not a figure.
_LATER_MINUTES: Final = (5.0, 30.0)

#: The pause before another attempt grows by half each time, up to four times the first.
_PAUSE_GROWTH: Final = 1.5
_PAUSE_LIMIT: Final = 4.0

#: Divisible by any number of entrances that there may be, so that each is the first for as many.
_ENTRANCES: Final = 60


@dataclass(frozen=True, slots=True)
class Habits:
    """`share`: their place on the response curve, 0 the fastest. Times: real seconds from the first answer."""

    share: float
    again_s: float | None
    looks_s: float | None
    secure: bool
    entrance: int  # which of the entrances they try first, modulo how many there are


def draw(
    seed: int,
    person: int,
    *,
    clock: float,
    again: float,
    look: float,
    tls: float,
) -> Habits:
    """Draw a person's habits. `clock` is drill seconds to a real second."""
    random = Random((seed << 40) ^ person)
    minute_s = 60.0 / clock  # a drill minute in real seconds
    share = random.random()
    secure = random.random() < tls
    entrance = int(random.random() * _ENTRANCES)
    again_s = random.uniform(*_LATER_MINUTES) * minute_s if random.random() < again else None
    looks_s = random.uniform(*_LATER_MINUTES) * minute_s if random.random() < look else None
    return Habits(share, again_s, looks_s, secure, entrance)


def answer_of(seed: int, person: int, value: int) -> tuple[str, str]:
    """Status and whether they can come, as the form has them: the same for every attempt at one value."""
    random = Random((seed << 40) ^ (person << 8) ^ value)
    drawn = random.random()
    status = next(name for name, below in _STATUSES if drawn < below)
    return status, "no" if random.random() < _CANNOT_COME else "yes"


def pause_s(first_s: tuple[float, float], attempt: int, drawn: float) -> float:
    """Real seconds until the next attempt after `attempt` failed ones.

    `first_s` is the range of the first pause, `drawn` in [0, 1) is where in the range.
    """
    low_s, high_s = first_s
    return (low_s + drawn * (high_s - low_s)) * min(_PAUSE_GROWTH ** (attempt - 1), _PAUSE_LIMIT)
