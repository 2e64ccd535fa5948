"""Whether telegrams can be had: what stands between the receivers' database and the service."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from harness.load import http1
from harness.load.http1 import Reply
from harness.probes.board import Probe
from harness.probes.door import Asked, Door, Doors, Judged

VANTAGE = "observers"


class Feed(Probe):
    """Asks for what is new; the last number may never go back.

    Asks where it was served last, and elsewhere when it is not, as those do who take telegrams from there.
    """

    capability = "feed"
    vantage = VANTAGE

    def __init__(self, process: int, doors: Sequence[Door], host: str) -> None:
        self.process = process
        self._names = [door.name for door in doors]
        self._doors, self._host = Doors(doors), host
        self._first = self._last = 0

    async def ask(self, turn: int) -> tuple[int, Asked]:
        floor, first = self._last, self._first

        def judge(reply: Reply) -> Judged:
            if reply.status != 200:
                return Judged(f"http {reply.status}", elsewhere=reply.status >= 500)
            try:
                last = int(orjson.loads(reply.body)["last"])
            except (ValueError, KeyError, TypeError):
                return Judged("not the feed")
            return Judged("stale" if last < floor else "", last)

        request = http1.get(f"/telegrams?after={floor}", self._host, close=True)
        asked = await self._doors.ask(first, request, judge)
        if asked.outcome != "ok" and self._first == first:
            self._first = (first + 1) % len(self._names)
        if asked.outcome == "ok":
            self._first = self._names.index(asked.endpoint)
            self._last = max(self._last, asked.value)
        return 0, asked
