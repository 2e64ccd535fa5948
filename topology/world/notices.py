"""The push notice: what makes a handset ring. A leg of its own, behind the mailbox and apart from it.

A handset (here: all handsets of a carrier at once) holds one stream open. A notice counts as taken when it has been
written to a connected stream, as a push service counts it: a push has no acknowledgement. A handset that lost its
stream comes back with the number of the last notice it saw and gets all that follow, so nothing is lost on the way.

    journal/noticed.jsonl   {"id","to","at_ns","result":"ok","seq"}   written when first handed out, once per mail
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import orjson

from topology.world.journal import Journal
from topology.world.mailboxes import Mailboxes

HEARTBEAT_S = 1.0
"""A silent stream carries an empty line this often, in real seconds."""
_BATCH = 500


class Notices:
    """Hands out the notices of all mailboxes of a carrier."""

    def __init__(self, data: Path, mailboxes: Mailboxes) -> None:
        self._mailboxes = mailboxes
        self._journal = Journal(data / "journal" / "noticed.jsonl", durable=False)
        self._taken: set[object] = {orjson.loads(line)["seq"] for line in self._journal.lines()}

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
        while not stopping.is_set():
            await self._mailboxes.grown(position, written_at + HEARTBEAT_S - time.monotonic())
            lines = self._mailboxes.lines(position, _BATCH)
            position += len(lines)
            mails = [(line, orjson.loads(line)) for line in lines]
            wanted = [(line, mail) for line, mail in mails if to is None or mail["to"] == to]
            if wanted or time.monotonic() - written_at >= HEARTBEAT_S:
                await write(b"".join(line + b"\n" for line, _ in wanted) or b"\n")
                written_at = time.monotonic()
                self._record([mail for _, mail in wanted])

    def _record(self, mails: list[dict[str, object]]) -> None:
        at_ns = time.monotonic_ns()
        fresh = [mail for mail in mails if mail["seq"] not in self._taken]
        rows = [
            {"id": mail["id"], "to": mail["to"], "at_ns": at_ns, "result": "ok", "seq": mail["seq"]}
            for mail in fresh
        ]
        self._taken.update(mail["seq"] for mail in fresh)
        self._journal.note(b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows))
