"""The mailboxes of one carrier: what came in, in the order in which it came, on disk before it is acknowledged.

mailboxes.jsonl        {"seq","to","id","subject","text","at_ns"}   the mails themselves, synced
journal/stored.jsonl   {"id","to","at_ns","result":"ok","seq"}      the same without content; mended from the above
"""

from __future__ import annotations

import asyncio
import time
from array import array
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from errno import ENOSPC
from pathlib import Path

import orjson

from topology.world.journal import Journal
from topology.world.mail import Received

FILE = "mailboxes.jsonl"


@dataclass(frozen=True, slots=True)
class _Row:
    """A mail on its way into a mailbox: its number, its address, its line in the journal."""

    seq: int
    to: str
    id: str
    at_ns: int
    line: bytes

    @property
    def stored(self) -> bytes:
        record = {"id": self.id, "to": self.to, "at_ns": self.at_ns, "result": "ok", "seq": self.seq}
        return orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)


class Mailboxes:
    """Every mailbox below one domain. A mailbox is made by its first mail.

    Mails are numbered from 1 by `seq`, which only grows, also across restarts; a mail that the disk refused leaves a
    hole. A *position* counts the mails that are stored, without holes.
    """

    def __init__(self, data: Path, domain: str) -> None:
        self.domain = domain.lower()
        self._journal = Journal(data / FILE)
        self._stored = Journal(data / "journal" / "stored.jsonl", durable=False)
        self._seqs = array("Q")
        self._ends = array("Q")
        self._boxes: dict[str, array[int]] = {}
        self._readers: list[asyncio.Future[None]] = []
        self._recover()
        self._given = self._seqs[-1] if self._seqs else 0

    async def close(self) -> None:
        await self._journal.close()
        await self._stored.close()

    @property
    def fault(self) -> OSError | None:
        """Why the disk refuses mails at the moment; None if it does not."""
        return self._journal.fault

    # -- mails come in -----------------------------------------------------------------------------------------

    def refusal(self, address: str) -> str | None:
        if address.rpartition("@")[2].lower() != self.domain:
            return "550 5.1.2 No such domain here"
        return None

    def accept(self, recipients: Sequence[str], content: bytes) -> asyncio.Future[str]:
        received = Received.parse(content)
        rows = [self._row(address, received) for address in dict.fromkeys(recipients)]
        reply: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        def done(commit: asyncio.Future[None]) -> None:
            reply.set_result(self._refused(commit) or self._take(rows))

        self._journal.commit(b"".join(row.line for row in rows)).add_done_callback(done)
        return reply

    def _row(self, address: str, received: Received) -> _Row:
        self._given += 1
        name, _, domain = address.rpartition("@")
        to, id_, at_ns = f"{name}@{domain.lower()}", received.id, time.monotonic_ns()
        mail = {
            "seq": self._given,
            "to": to,
            "id": id_,
            "subject": received.subject,
            "text": received.text,
            "at_ns": at_ns,
        }
        return _Row(self._given, to, id_, at_ns, orjson.dumps(mail, option=orjson.OPT_APPEND_NEWLINE))

    def _refused(self, commit: asyncio.Future[None]) -> str | None:
        error = commit.exception()
        if error is None:
            return None
        if isinstance(error, OSError) and error.errno == ENOSPC:
            return "452 4.3.1 Insufficient system storage"
        return "451 4.3.0 Local error in processing"

    def _take(self, rows: list[_Row]) -> str:
        for row in rows:
            self._index(row.seq, row.to, len(row.line))
        self._stored.note(b"".join(row.stored for row in rows))
        readers, self._readers = self._readers, []
        for reader in readers:
            if not reader.done():
                reader.set_result(None)
        return f"250 2.0.0 Stored as {rows[-1].seq}"

    def _index(self, seq: int, to: str, length: int) -> None:
        box = self._boxes.get(to)
        if box is None:
            box = self._boxes[to] = array("Q")
        box.append(len(self._seqs))
        self._seqs.append(seq)
        self._ends.append((self._ends[-1] if self._ends else 0) + length)

    # -- and are read ------------------------------------------------------------------------------------------

    def counts(self) -> dict[str, int]:
        return {"mailboxes": len(self._boxes), "messages": len(self._seqs)}

    def messages(self, address: str) -> list[bytes]:
        """The mails of one mailbox as JSON, oldest first; none for a mailbox that is not there."""
        name, _, domain = address.rpartition("@")
        box = self._boxes.get(f"{name}@{domain.lower()}", ())
        return [line for position in box for line in self.lines(position, 1)]

    def stored(self) -> bytes:
        """Every mail that is stored, as JSON lines {"id","to"}, oldest first."""
        rows = (orjson.loads(line) for line in self._journal.lines())
        return b"".join(
            orjson.dumps({"id": row["id"], "to": row["to"]}, option=orjson.OPT_APPEND_NEWLINE) for row in rows
        )

    def position_after(self, seq: int) -> int:
        """The position of the first mail whose number is above `seq`."""
        return bisect_right(self._seqs, seq)

    def lines(self, position: int, most: int) -> list[bytes]:
        """Up to `most` mails as JSON from this position on; none if there are none yet."""
        last = min(position + most, len(self._ends))
        if position >= last:
            return []
        start = self._ends[position - 1] if position else 0
        return self._journal.read(start, self._ends[last - 1]).splitlines()

    async def grown(self, position: int, timeout_s: float) -> bool:
        """Wait until there is a mail at this position: True, or False if it did not come in time."""
        if position < len(self._seqs):
            return True
        reader: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._readers.append(reader)
        done, _ = await asyncio.wait([reader], timeout=timeout_s)
        if not done:
            self._readers = [other for other in self._readers if other is not reader]
        return bool(done)

    # -- after a restart ---------------------------------------------------------------------------------------

    def _recover(self) -> None:
        """Index what is there, and write the records that a crash left out."""
        recorded = max((orjson.loads(line)["seq"] for line in self._stored.lines()), default=0)
        for line in self._journal.lines():
            mail = orjson.loads(line)
            self._index(mail["seq"], mail["to"], len(line) + 1)
            if mail["seq"] > recorded:
                self._stored.note(_Row(mail["seq"], mail["to"], mail["id"], mail["at_ns"], line).stored)
