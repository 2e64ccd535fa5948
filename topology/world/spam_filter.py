"""A carrier's filter of spam: between the 250 and the mailbox.

    SMTP in ── accept ── 250 ──┬── mailbox
                               └── what a pattern takes for spam: destroyed, or kept in quarantine

On 2018-09-17 a bug in how its pattern was made had a carrier's filter take the mail of every sender in one domain for
spam, and destroy it after the 250. Who sent it had done its part, and nobody could bring it back.

A pattern is something that the domain in a mail's From header has in it, `.co.jp` for instance. What is taken is set
once and for all: DESTROY leaves nothing behind, not even a record of whose it was; QUARANTINE keeps it on disk before
the 250, until it is released into its mailbox.

    quarantine.jsonl         {"number","to":[…],"content"}   content in base64, synced
    journal/released.jsonl   {"number"}                      synced after the mailbox has it

A crash between the last two delivers that mail once more, and loses none.
"""

from __future__ import annotations

import asyncio
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import orjson

from topology.world.journal import Journal
from topology.world.mail import sender_domain
from topology.world.smtp_in import Postbox

TAKEN = "250 2.0.0 Taken"
LATER = "451 4.3.0 Local error in processing"


class Takes(StrEnum):
    """What becomes of a mail that a pattern takes for spam."""

    DESTROY = "destroy"
    QUARANTINE = "quarantine"


@dataclass(frozen=True)
class Pattern:
    """`senders`: what the sender's domain has in it, in small letters."""

    senders: str

    @classmethod
    def parse(cls, row: object) -> Pattern:
        """Raises ValueError that says what is wrong."""
        senders = row.get("senders") if isinstance(row, dict) else None
        if not isinstance(senders, str) or not senders.strip():
            raise ValueError(f"senders: expected a part of a domain, found {senders!r}")
        return cls(senders.strip().lower())

    def takes(self, content: bytes) -> bool:
        return self.senders in sender_domain(content)


@dataclass(frozen=True, slots=True)
class _Held:
    to: tuple[str, ...]
    content: bytes


class Filter:
    """In front of a postbox. Without a pattern it takes nothing. Needs a running event loop."""

    def __init__(self, postbox: Postbox, data: Path, takes: Takes) -> None:
        self._postbox = postbox
        self._takes = takes
        self._journal = Journal(data / "quarantine.jsonl")
        self._released = Journal(data / "journal" / "released.jsonl")
        self._held: dict[int, _Held] = {}
        self._given = 0
        self._recover()
        self._pattern: Pattern | None = None
        self._passed = self._taken = 0

    async def close(self) -> None:
        await self._journal.close()
        await self._released.close()

    @property
    def fault(self) -> OSError | None:
        return self._journal.fault

    def apply(self, pattern: Pattern | None) -> None:
        """From now on; None: nothing is spam any more. What it took before stays where it is."""
        self._pattern = pattern
        self._passed = self._taken = 0

    def state(self) -> dict[str, object]:
        """`passed` and `taken` count the mails since the pattern was applied; `held` are in quarantine."""
        return {
            "takes": self._takes.value,
            "senders": self._pattern.senders if self._pattern else None,
            "passed": self._passed,
            "taken": self._taken,
            "held": len(self._held),
        }

    # -- mails come in -----------------------------------------------------------------------------------------

    def refusal(self, address: str) -> str | None:
        return self._postbox.refusal(address)

    def accept(self, recipients: Sequence[str], content: bytes) -> asyncio.Future[str]:
        if self._pattern is None or not self._pattern.takes(content):
            self._passed += 1
            return self._postbox.accept(recipients, content)
        self._taken += 1
        reply: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        if self._takes is Takes.DESTROY:
            reply.set_result(TAKEN)
            return reply
        self._given += 1
        number, held = self._given, _Held(tuple(recipients), content)

        def done(commit: asyncio.Future[None]) -> None:
            if commit.exception() is None:
                self._held[number] = held
            reply.set_result(TAKEN if number in self._held else LATER)

        self._journal.commit(_line(number, held)).add_done_callback(done)
        return reply

    # -- and come out ------------------------------------------------------------------------------------------

    async def release(self) -> int:
        """Put what is held into the mailboxes, pattern or not; how many were taken there. The others stay held."""
        going, self._held = self._held, {}
        replies = await asyncio.gather(
            *(self._postbox.accept(held.to, held.content) for held in going.values())
        )
        there = [number for number, reply in zip(going, replies, strict=True) if reply.startswith("250")]
        if there:
            rows = (orjson.dumps({"number": number}, option=orjson.OPT_APPEND_NEWLINE) for number in there)
            self._released.note(b"".join(rows))
        self._held |= {number: held for number, held in going.items() if number not in set(there)}
        return len(there)

    # -- after a restart ---------------------------------------------------------------------------------------

    def _recover(self) -> None:
        released = {orjson.loads(line)["number"] for line in self._released.lines()}
        for line in self._journal.lines():
            row = orjson.loads(line)
            self._given = row["number"]
            if self._given not in released:
                self._held[self._given] = _Held(tuple(row["to"]), b64decode(row["content"]))


def _line(number: int, held: _Held) -> bytes:
    row = {"number": number, "to": held.to, "content": b64encode(held.content).decode()}
    return orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)
