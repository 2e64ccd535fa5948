"""What SMTP-in has taken over, and what became of it.

    spool.jsonl               {"id","to","from","content","at_ns"}        what was taken, synced before the 250
    journal/accepted.jsonl    {"id","to","at_ns","result","reply"}

Results: `accepted` with the 250; then `deferred` each time that it could not be delivered yet, and in the end one of
`ok` (a mailbox server has it), `bounced` and `discarded`. What was accepted and is not over waits, also after a crash.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson

from topology.world.journal import Journal

OVER: Final = frozenset({"ok", "bounced", "discarded"})


@dataclass(frozen=True, slots=True)
class Parcel:
    """One mail for one user, as it came."""

    id: str
    to: str
    sender: str
    content: bytes

    @property
    def key(self) -> tuple[str, str]:
        return self.id, self.to


class Spool:
    """Needs a running event loop."""

    def __init__(self, data: Path) -> None:
        self._taken = Journal(data / "spool.jsonl")
        self._journal = Journal(data / "journal" / "accepted.jsonl")
        self._waiting: deque[Parcel] = deque()
        self._filled = asyncio.Event()
        self._open = 0
        self._over: dict[tuple[str, str], None] = {}  # in the order in which they were over
        self._known: dict[tuple[str, str], asyncio.Future[None] | None] = {}
        self._recover()

    async def close(self) -> None:
        await self._taken.close()
        await self._journal.close()

    @property
    def fault(self) -> OSError | None:
        """Why the disk refuses mails at the moment; None if it does not."""
        return self._taken.fault

    @property
    def queued(self) -> int:
        """Mails that are not over."""
        return self._open

    def over(self) -> bytes:
        """Every mail that is over, whatever became of it, as JSON lines {"id","to"}."""
        return b"".join(
            orjson.dumps({"id": id_, "to": to}, option=orjson.OPT_APPEND_NEWLINE) for id_, to in self._over
        )

    async def take_over(self, parcels: Sequence[Parcel]) -> None:
        """Returns when they are on disk. A mail that came before is not taken a second time: senders who did not hear
        the answer come again. Raises OSError when the disk refuses them.
        """
        fresh = [parcel for parcel in parcels if parcel.key not in self._known]
        if fresh:
            self._take(fresh)
        commits = [commit for parcel in parcels if (commit := self._known.get(parcel.key)) is not None]
        if commits:
            await asyncio.wait(commits)
        for commit in commits:
            commit.result()

    def _take(self, parcels: Sequence[Parcel]) -> None:
        at_ns = time.monotonic_ns()
        rows = [
            {
                "id": parcel.id,
                "to": parcel.to,
                "from": parcel.sender,
                "content": parcel.content.decode("latin-1"),  # every octet as a character of its own
                "at_ns": at_ns,
            }
            for parcel in parcels
        ]
        commit = self._taken.commit(
            b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)
        )
        self._known.update((parcel.key, commit) for parcel in parcels)

        def done(_: asyncio.Future[None]) -> None:
            for parcel in parcels:
                if commit.exception() is not None:
                    del self._known[parcel.key]
                    continue
                self._known[parcel.key] = None
                self._open += 1
                self.note(parcel, "accepted", "250", at_ns)
                self.put_back([parcel])

        commit.add_done_callback(done)

    async def next(self, most: int) -> list[Parcel]:
        """Wait until there are mails to deliver, and take out up to `most`, oldest first."""
        while not self._waiting:
            self._filled.clear()
            await self._filled.wait()
        return [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]

    def put_back(self, parcels: Sequence[Parcel]) -> None:
        self._waiting.extend(parcels)
        self._filled.set()

    def note(self, parcel: Parcel, result: str, reply: str, at_ns: int | None = None) -> None:
        """What became of a mail."""
        row = {
            "id": parcel.id,
            "to": parcel.to,
            "at_ns": at_ns or time.monotonic_ns(),
            "result": result,
            "reply": reply,
        }
        self._journal.note(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
        if result in OVER:
            self._open -= 1
            self._over[parcel.key] = None

    def _recover(self) -> None:
        """Line up what is not over, and write the records that a crash left out."""
        noted: dict[tuple[str, str], bool] = {}
        for line in self._journal.lines():
            row = orjson.loads(line)
            key = row["id"], row["to"]
            noted[key] = noted.get(key, False) or row["result"] in OVER
        for line in self._taken.lines():
            row = orjson.loads(line)
            parcel = Parcel(row["id"], row["to"], row["from"], row["content"].encode("latin-1"))
            self._known[parcel.key] = None
            if noted.get(parcel.key):
                self._over[parcel.key] = None
                continue
            self._open += 1
            self._waiting.append(parcel)
            if parcel.key not in noted:
                self.note(parcel, "accepted", "250", row["at_ns"])
        if self._waiting:
            self._filled.set()
