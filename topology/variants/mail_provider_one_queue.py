"""A mail provider with so many mails in hand at once and no more, whatever their carrier: the retries starve the queue.

A mail that its carrier puts off stays in hand until it is over. So the mails for one carrier that throttles fill all
hands, and everybody else's wait behind them, as those of a prefecture's alert did on 2018-07-06. Nor does it learn how
many that carrier takes: each mail comes back alone, later and later. Everything else is the provider as it is.
"""

from __future__ import annotations

from collections.abc import Collection

from topology.world.lines import Lines
from topology.world.mail import Mail
from topology.world.mail_provider import main as provide
from topology.world.relay import Relay
from topology.world.smtp_out import Reply

HANDS = 64
"""Mails in hand at once."""


class OneQueue(Lines):
    """Gives out a mail only while a hand is free; one that was put back is still in its hand."""

    def __init__(self, domains: Collection[str]) -> None:
        super().__init__(domains)
        self._started: set[str] = set()
        self._over = 0

    async def take(self, domain: str, most: int) -> list[Mail]:
        while not (mails := self._in_hand(domain, most)):
            self._filled[domain].clear()
            await self._filled[domain].wait()
        return mails

    def _in_hand(self, domain: str, most: int) -> list[Mail]:
        line, mails = self._lines[domain], list[Mail]()
        while line and len(mails) < most:
            if line[0].id not in self._started:
                if len(self._started) - self._over >= HANDS:
                    break
                self._started.add(line[0].id)
            mails.append(line.popleft())
        return mails

    def over(self) -> None:
        super().over()
        self._over += 1
        for filled in self._filled.values():
            filled.set()


class Besieging(Relay):
    """Takes a receiver that throttles for one that has something against each mail."""

    def throttled(self, reply: Reply) -> bool:
        return False


def main() -> int:
    return provide(OneQueue, Besieging)


if __name__ == "__main__":
    raise SystemExit(main())
