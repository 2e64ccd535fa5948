"""The provider's durable queue.

    queue.jsonl               {"id","to","from","subject","text","headers","at_ns"}  what was accepted, synced
    journal/submitted.jsonl   {"id","to","at_ns","result":"ok"}     the same without content; mended from the above
    journal/relayed.jsonl     {"id","to","at_ns","result","reply"}  ok, bounced: it is over; deferred: tried in vain

What was accepted and is not over is queued, also after a crash. The record that a mail is over follows the carrier's
250 by milliseconds; a crash between the two sends that mail once more, and loses none.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import orjson

from topology.world.journal import RETRY_S, Journal
from topology.world.lines import Lines
from topology.world.mail import Mail
from topology.world.site import say

NO_ROUTE = "550 5.1.2 No route to that domain"


class MailQueue:
    """What was accepted, and what became of it. `lines` are where mails wait. Needs a running event loop."""

    def __init__(self, data: Path, lines: Lines) -> None:
        self._lines = lines
        self._journal = Journal(data / "queue.jsonl")
        self._submitted = Journal(data / "journal" / "submitted.jsonl", durable=False)
        self._relayed = Journal(data / "journal" / "relayed.jsonl")
        self._accepted: dict[str, asyncio.Future[None] | None] = {}
        self._halted = False
        self._recover()

    async def close(self) -> None:
        for journal in (self._journal, self._submitted, self._relayed):
            await journal.close()

    @property
    def fault(self) -> OSError | None:
        """Why the disk refuses mails at the moment; None if it does not."""
        return self._journal.fault

    # -- in ----------------------------------------------------------------------------------------------------

    async def accept(self, mails: Sequence[Mail]) -> None:
        """Returns when all are on disk. A mail whose id was accepted before is not taken a second time.

        Raises OSError when the disk refused them: then none of the new ones was taken.
        """
        fresh = {mail.id: mail for mail in mails if mail.id not in self._accepted}
        if fresh:
            self._submit(fresh.values())
        commits = [commit for mail in mails if (commit := self._accepted[mail.id]) is not None]
        if commits:
            await asyncio.wait(commits)
        for commit in commits:
            commit.result()

    def _submit(self, mails: Collection[Mail]) -> None:
        at_ns = time.monotonic_ns()
        lines = [
            orjson.dumps({**mail.to_json(), "at_ns": at_ns}, option=orjson.OPT_APPEND_NEWLINE)
            for mail in mails
        ]
        commit = self._journal.commit(b"".join(lines))
        self._accepted.update((mail.id, commit) for mail in mails)

        def done(_: asyncio.Future[None]) -> None:
            if commit.exception() is not None:
                for mail in mails:
                    del self._accepted[mail.id]
                return
            self._submitted.note(b"".join(_submitted(mail, at_ns) for mail in mails))
            for mail in mails:
                self._accepted[mail.id] = None
                self._line_up(mail)

        commit.add_done_callback(done)

    def _line_up(self, mail: Mail) -> None:
        """A mail is durable: now it waits for its carrier."""
        if not self._lines.add(mail):
            self._note(mail, "bounced", NO_ROUTE)

    # -- out ---------------------------------------------------------------------------------------------------

    async def recordable(self) -> None:
        """Wait until what became of mails so far is recorded, for as long as the disk takes no records."""
        await self._relayed.settled()
        while (fault := self._relayed.fault) is not None:
            if not self._halted:
                say(f"nothing is relayed: the disk takes no records ({fault.strerror})")
                self._halted = True
            await asyncio.sleep(RETRY_S)
        self._halted = False

    def finish(self, mail: Mail, result: str, reply: str) -> None:
        """A mail that was taken out is over: relayed ("ok") or given up ("bounced"), with what the carrier said."""
        self._lines.over()
        self._note(mail, result, reply)

    def defer(self, mail: Mail, reply: str) -> None:
        """Record that a carrier would not take a mail yet. Whoever took it out puts it back."""
        self._note(mail, "deferred", reply)

    def _note(self, mail: Mail, result: str, reply: str) -> None:
        row = {"id": mail.id, "to": mail.to, "at_ns": time.monotonic_ns(), "result": result, "reply": reply}
        self._relayed.note(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))

    # -- after a restart ---------------------------------------------------------------------------------------

    def _recover(self) -> None:
        over = {row["id"] for row in _rows(self._relayed) if row["result"] != "deferred"}
        recorded = {row["id"] for row in _rows(self._submitted)}
        for row in _rows(self._journal):
            mail = Mail.from_json(row, "queue.jsonl")
            self._accepted[mail.id] = None
            if mail.id not in recorded:
                self._submitted.note(_submitted(mail, row["at_ns"]))
            if mail.id not in over:
                self._line_up(mail)


def _rows(journal: Journal) -> Iterator[dict[str, object]]:
    return (orjson.loads(line) for line in journal.lines())


def _submitted(mail: Mail, at_ns: object) -> bytes:
    row = {"id": mail.id, "to": mail.to, "at_ns": at_ns, "result": "ok"}
    return orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)
