"""The lines in which mails wait for their carrier, one a domain, in memory."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Collection, Sequence

from topology.world.mail import Mail


class Lines:
    """Mails that are durable and not over: waiting here, or taken out by someone who tries to relay them."""

    def __init__(self, domains: Collection[str]) -> None:
        self._lines: dict[str, deque[Mail]] = {domain: deque() for domain in domains}
        self._filled = {domain: asyncio.Event() for domain in domains}
        self._open = 0

    @property
    def queued(self) -> int:
        """Mails that are not over, those taken out included."""
        return self._open

    def add(self, mail: Mail) -> bool:
        """Line up a new mail. False if no carrier serves its domain."""
        line = self._lines.get(mail.domain or "")
        if line is None:
            return False
        self._open += 1
        line.append(mail)
        self._filled[mail.domain or ""].set()
        return True

    async def take(self, domain: str, most: int) -> list[Mail]:
        """Wait until mails wait for this domain, and take out up to `most` of them, oldest first."""
        line = self._lines[domain]
        while not line:
            self._filled[domain].clear()
            await self._filled[domain].wait()
        return [line.popleft() for _ in range(min(most, len(line)))]

    def put_back(self, domain: str, mails: Sequence[Mail]) -> None:
        """Line up mails that were taken out, at the front, in the order in which they are given."""
        self._lines[domain].extendleft(reversed(mails))
        self._filled[domain].set()

    def over(self) -> None:
        """A mail that was taken out is relayed, or given up."""
        self._open -= 1
