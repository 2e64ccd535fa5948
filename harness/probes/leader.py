"""Who holds the leader key in the consensus store."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from harness.load import http1
from harness.load.http1 import MalformedError, NotSentError, Reader, UnansweredError
from harness.probes.conversation import Connection
from harness.probes.door import Door

#: Patroni's key for a cluster named `anpi`.
LEADER_KEY: Final = "/service/anpi/leader"
#: What no majority has confirmed for this long is not known any more, in nanoseconds.
FRESH_NS: Final = 2_000_000_000
_TRY_S: Final = 0.5
#: How soon the next member is asked where one does not answer.
_NEXT_S: Final = 0.2
_PIECE: Final = 65_536
_KEY: Final = base64.b64encode(LEADER_KEY.encode()).decode()
_RANGE: Final = http1.post("/v3/kv/range", "consensus", orjson.dumps({"key": _KEY}), "application/json")
_WATCH: Final = http1.post(
    "/v3/watch", "consensus", orjson.dumps({"create_request": {"key": _KEY}}), "application/json"
)


class Leader:
    """Is told of each change by one member, and confirms by linearizable reads that this member is not left behind.

    A linearizable read is a round of all members, dearer than any other look at the platform; hearing costs nothing.
    Both go to the next member when a read is not answered.
    """

    def __init__(self, members: Sequence[Door]) -> None:
        self._members = members
        self._reading = [Connection(member.host, member.port) for member in members]
        self._turn = 0
        self._holder, self._read_ns = "", 0
        self._store, self._revision = "", 0  # as of which revision of which store

    @property
    def holder(self) -> str:
        """The node that holds the key; empty for nobody, or not known."""
        return self._holder if time.monotonic_ns() - self._read_ns <= FRESH_NS else ""

    async def watch(self, every_s: float) -> None:
        """Hear of changes, and read the key again and again, until cancelled."""
        hearing: asyncio.Task[None] | None = None
        try:
            while True:
                started_s = time.monotonic()
                answered = await self.read()
                if hearing is not None and (hearing.done() or not answered):
                    hearing.cancel()
                    hearing = None
                if hearing is None and answered:
                    hearing = asyncio.create_task(self._hear(self._members[self._at]))
                next_s = started_s + (every_s if answered else _NEXT_S)
                await asyncio.sleep(max(0.0, next_s - time.monotonic()))
        finally:
            if hearing is not None:
                hearing.cancel()
            for member in self._reading:
                member.close()

    async def read(self) -> bool:
        """Whether this member answered, as it does not when it knows of no majority; else it is the next one's turn."""
        try:
            reply = await self._reading[self._at].ask(_RANGE, _TRY_S)
            if reply.status != 200:
                raise ValueError(f"http {reply.status}")
            told = orjson.loads(reply.body)
            header = told["header"]
            self._learn(header["cluster_id"], int(header["revision"]), (told.get("kvs") or [{}])[0])
            self._read_ns = time.monotonic_ns()
        except (NotSentError, UnansweredError, ValueError, KeyError):
            self._turn += 1
            return False
        return True

    @property
    def _at(self) -> int:
        return self._turn % len(self._members)

    async def _hear(self, member: Door) -> None:
        """Until the member has nothing more to say."""
        try:
            async with asyncio.timeout(_TRY_S):
                incoming, outgoing = await asyncio.open_connection(member.host, member.port)
        except OSError:
            return
        reader, rest = Reader(), b""
        try:
            outgoing.write(_WATCH)
            while (piece := await incoming.read(_PIECE)) and reader.status in (0, 200):
                reader.feed(piece)
                *lines, rest = (rest + reader.take()).split(b"\n")
                for line in filter(None, lines):
                    told = orjson.loads(line)["result"]
                    for event in told.get("events", ()):
                        self._learn(
                            told["header"]["cluster_id"], int(event["kv"]["mod_revision"]), event["kv"]
                        )
        except (OSError, MalformedError, ValueError, KeyError):
            return
        finally:
            outgoing.close()

    def _learn(self, store: str, revision: int, entry: Mapping[str, Any]) -> None:
        """Who holds the key as of that revision; an entry without a value is nobody's. A new store counts anew."""
        if store != self._store or revision >= self._revision:
            self._store, self._revision = store, revision
            self._holder = base64.b64decode(entry.get("value", "")).decode()
