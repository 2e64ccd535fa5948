"""Who holds the leader key in the consensus store."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Sequence
from typing import Final

import orjson

from harness.load import http1
from harness.load.http1 import NotSentError, Reply, UnansweredError
from harness.probes.conversation import Connection
from harness.probes.door import Door

#: Patroni's key for a cluster named `anpi`.
LEADER_KEY: Final = "/service/anpi/leader"
#: What was read longer ago than this is not known any more, in nanoseconds.
FRESH_NS: Final = 1_000_000_000
_TRY_S: Final = 0.5


class Leader:
    """Reads the key by linearizable reads, at one member and at the next when that one does not answer."""

    def __init__(self, members: Sequence[Door]) -> None:
        self._members = [Connection(member.host, member.port) for member in members]
        self._turn = 0
        self._holder, self._read_ns = "", 0
        query = orjson.dumps({"key": base64.b64encode(LEADER_KEY.encode()).decode()})
        self._request = http1.post("/v3/kv/range", "consensus", query, "application/json")

    @property
    def holder(self) -> str:
        """The node that held the key within the last second; empty for nobody or not known."""
        return self._holder if time.monotonic_ns() - self._read_ns <= FRESH_NS else ""

    async def watch(self, every_s: float) -> None:
        """Read the key again and again until cancelled."""
        try:
            while True:
                started_s = time.monotonic()
                await self.read()
                await asyncio.sleep(max(0.0, started_s + every_s - time.monotonic()))
        finally:
            for member in self._members:
                member.close()

    async def read(self) -> None:
        member = self._members[self._turn % len(self._members)]
        try:
            reply = await member.ask(self._request, _TRY_S)
            self._holder, self._read_ns = _holder(reply), time.monotonic_ns()
        except (NotSentError, UnansweredError, ValueError):
            self._turn += 1


def _holder(reply: Reply) -> str:
    """Raises ValueError when the member did not answer the question, as when it knows of no majority."""
    if reply.status != 200:
        raise ValueError(f"http {reply.status}")
    entries = orjson.loads(reply.body).get("kvs", [])
    return base64.b64decode(entries[0]["value"]).decode() if entries else ""
