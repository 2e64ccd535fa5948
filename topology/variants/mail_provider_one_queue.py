"""A mail provider with one queue for all: a mail leaves when all before it are on their way, and so many are at once.

A mail that its carrier puts off stays in hand until it is over. So the mails for one carrier that throttles fill all
hands, and everybody else's wait behind them, as those of a prefecture's alert did on 2018-07-06. It is a matter of
which lines mails are put in: everything else is the provider as it is.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection

from topology.world.lines import Lines
from topology.world.mail import Mail
from topology.world.mail_provider import main as provide

HANDS = 64
"""Mails in hand at once."""


class OneQueue(Lines):
    """Gives out mails in their order, while a hand is free; one that was put back is still in its hand."""

    def __init__(self, domains: Collection[str]) -> None:
        super().__init__(domains)
        self._order: deque[str] = deque()
        self._started: set[str] = set()
        self._over = 0

    def add(self, mail: Mail) -> bool:
        known = super().add(mail)
        if known:
            self._order.append(mail.id)
            self._look()
        return known

    async def take(self, domain: str, most: int) -> list[Mail]:
        while not (mails := self._in_hand(domain, most)):
            self._filled[domain].clear()
            await self._filled[domain].wait()
        self._look()
        return mails

    def over(self) -> None:
        super().over()
        self._over += 1
        self._look()

    def _in_hand(self, domain: str, most: int) -> list[Mail]:
        line, mails = self._lines[domain], list[Mail]()
        while line and len(mails) < most and (line[0].id in self._started or self._begin(line[0])):
            mails.append(line.popleft())
        return mails

    def _begin(self, mail: Mail) -> bool:
        """Take a mail in hand, if it is its turn and a hand is free."""
        if self._order[0] != mail.id or len(self._started) - self._over >= HANDS:
            return False
        self._started.add(self._order.popleft())
        return True

    def _look(self) -> None:
        """It may be another domain's turn."""
        for filled in self._filled.values():
            filled.set()


def main() -> int:
    return provide(OneQueue)


if __name__ == "__main__":
    raise SystemExit(main())
