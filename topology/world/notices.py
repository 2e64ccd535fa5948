"""The push notice: what makes a handset ring. A leg of its own, behind the mailbox and apart from it.

A handset (here: all handsets of a carrier at once) holds one stream open. A notice counts as taken when it has been
written to a connected stream, as a push service counts it: a push has no acknowledgement. A handset that lost its
stream comes back with the number of the last notice it saw and gets all that follow, so nothing is lost on the way.

    journal/noticed.jsonl   {"id","to","at_ns","result","seq"}   ok: first handed out, once per mail; lost: dropped

In a congestion notices are late or lost (see `push`). Late ones wait in the stream, and come when it is over at the
latest; a handset that loses its stream meanwhile has lost them, too, and finds the mails when it looks by hand.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from pathlib import Path
from typing import TypeAlias

import orjson

from topology.world.journal import Journal
from topology.world.mailboxes import Mailboxes
from topology.world.push import Push

HEARTBEAT_S = 1.0
"""A silent stream carries an empty line this often, in real seconds."""
_BATCH = 500

#: A mail's line in the journal of the mailboxes, and what it says.
_Mail: TypeAlias = "tuple[bytes, dict[str, object]]"


@dataclass(frozen=True, order=True)
class _Held:
    """A late notice, and when it is due on the monotonic clock."""

    due_s: float
    seq: int
    mail: _Mail = field(compare=False)


class Notices:
    """Hands out the notices of all mailboxes of a carrier."""

    def __init__(self, data: Path, mailboxes: Mailboxes) -> None:
        self._mailboxes = mailboxes
        self._journal = Journal(data / "journal" / "noticed.jsonl", durable=False)
        rows = [orjson.loads(line) for line in self._journal.lines()]
        self._taken: set[object] = {row["seq"] for row in rows if row["result"] == "ok"}
        self._dropped: set[object] = {row["seq"] for row in rows if row["result"] != "ok"}
        self.push = Push()

    async def close(self) -> None:
        await self._journal.close()

    async def hand_out(
        self,
        write: Callable[[bytes], Awaitable[None]],
        stopping: asyncio.Event,
        after: int = 0,
        to: str | None = None,
    ) -> None:
        """Write every notice above number `after` as it comes, those of one address or all, until `stopping` is set.

        Ends with the error of `write` when the handset is gone.
        """
        position = self._mailboxes.position_after(after)
        written_at = time.monotonic()
        held: list[_Held] = []
        while not stopping.is_set():
            until = min([written_at + HEARTBEAT_S, *(one.due_s for one in held[:1])])
            await self._mailboxes.grown(position, max(0.0, until - time.monotonic()))
            lines = self._mailboxes.lines(position, _BATCH)
            position += len(lines)
            mails = [(line, orjson.loads(line)) for line in lines]
            wanted = self._ripe(held)
            wanted += self._pass([pair for pair in mails if to is None or pair[1]["to"] == to], held)
            if wanted or time.monotonic() - written_at >= HEARTBEAT_S:
                await write(b"".join(line + b"\n" for line, _ in wanted) or b"\n")
                written_at = time.monotonic()
                self._record([mail for _, mail in wanted], "ok", self._taken)

    def _pass(self, mails: list[_Mail], held: list[_Held]) -> list[_Mail]:
        """Those whose notice comes at once. Late ones are held, lost ones noted."""
        if self.push == Push():
            return mails
        passed, lost = [], []
        for line, mail in mails:
            wait_s = self.push.wait_s(str(mail["id"]))
            if wait_s is None:
                lost.append(mail)
            elif wait_s:
                heappush(held, _Held(time.monotonic() + wait_s, int(str(mail["seq"])), (line, mail)))
            else:
                passed.append((line, mail))
        self._record(lost, "lost", self._dropped)
        return passed

    def _ripe(self, held: list[_Held]) -> list[_Mail]:
        """Of the held ones those whose time has come; all when nothing restricts them any more."""
        found = []
        while held and (self.push == Push() or held[0].due_s <= time.monotonic()):
            found.append(heappop(held).mail)
        return found

    def _record(self, mails: list[dict[str, object]], result: str, known: set[object]) -> None:
        at_ns = time.monotonic_ns()
        fresh = [mail for mail in mails if mail["seq"] not in known]
        if not fresh:
            return
        rows = [
            {"id": mail["id"], "to": mail["to"], "at_ns": at_ns, "result": result, "seq": mail["seq"]}
            for mail in fresh
        ]
        known.update(mail["seq"] for mail in fresh)
        self._journal.note(b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows))
