"""A receiver that takes so many mails a second and puts the others off, as hosts do with a burst.

On 2018-07-06 a prefecture's alert mail was 21 minutes to 2 hours late for everybody: some receivers throttled the
burst, and the sender's retries starved its queue.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from topology.world.smtp_in import Postbox

REFUSAL = "450 4.7.1 Too many mails at once, try again later"


@dataclass
class Throttle:
    """Takes `per_s` mails a real second, at most a second's worth at once."""

    per_s: float
    _left: float = field(init=False)
    _at_s: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self._left = max(1.0, self.per_s)

    @classmethod
    def parse(cls, row: object) -> Throttle:
        """Raises ValueError that says what is wrong."""
        per_s = row.get("per_s") if isinstance(row, dict) else None
        if isinstance(per_s, bool) or not isinstance(per_s, int | float) or not per_s > 0:
            raise ValueError(f"per_s: expected a number above 0, found {per_s!r}")
        return cls(float(per_s))

    def take(self) -> bool:
        """Whether one more mail may come in now."""
        now_s = time.monotonic()
        self._left = min(max(1.0, self.per_s), self._left + (now_s - self._at_s) * self.per_s)
        self._at_s = now_s
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Door:
    """In front of a postbox: a throttle, while there is one."""

    def __init__(self, postbox: Postbox) -> None:
        self._postbox = postbox
        self.throttle: Throttle | None = None

    def refusal(self, address: str) -> str | None:
        refusal = self._postbox.refusal(address)
        if refusal is None and self.throttle is not None and not self.throttle.take():
            return REFUSAL
        return refusal

    def accept(self, recipients: Sequence[str], content: bytes) -> asyncio.Future[str]:
        return self._postbox.accept(recipients, content)
