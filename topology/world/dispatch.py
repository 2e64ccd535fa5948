"""What the agency has published, and who has taken it."""

from __future__ import annotations

import asyncio
import ftplib
import threading
import time
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from queue import SimpleQueue

import orjson

from topology.world.ftp_push import Receiver, push
from topology.world.journal import Journal
from topology.world.site import say

FIRST_RETRY_S, LAST_RETRY_S = 0.25, 2.0
"""Real seconds between two tries at one receiver, doubling: whoever warns of tsunamis does not wait long."""


@dataclass(frozen=True)
class Telegram:
    """`name` is unique, and the same at every try: a receiver that lost its answer gets the same file again."""

    number: int
    name: str
    at_ns: int
    body: bytes


@dataclass
class Push:
    """A telegram on its way to a receiver."""

    telegram: Telegram
    receiver: str
    tries: int = 0
    taken_ns: int | None = None
    trouble: str = ""

    def state(self) -> dict[str, object]:
        word = "waiting" if self.taken_ns is None else "taken"
        return {"state": word, "tries": self.tries, "at_ns": self.taken_ns, "trouble": self.trouble}


class Dispatch:
    """Keeps telegrams and pushes them, one receiver independent of another. Needs a running event loop.

    Each receiver has a thread of its own, for ftplib waits; everything else happens in the event loop.
    """

    def __init__(self, data: Path, receivers: Sequence[Receiver]) -> None:
        self._loop = asyncio.get_running_loop()
        self._journal = Journal(data / "telegrams.jsonl")
        self._pushed = Journal(data / "journal" / "pushed.jsonl")
        self._pushes: dict[int, list[Push]] = {}
        self._lines: dict[str, SimpleQueue[Push]] = {receiver.name: SimpleQueue() for receiver in receivers}
        self._stopping = threading.Event()
        self._recover()
        self._given = max(self._pushes, default=0)
        for receiver in receivers:
            threading.Thread(target=self._serve, args=(receiver,), name=receiver.name, daemon=True).start()

    async def close(self) -> None:
        """Start no further try. One that is on its way ends with the program, and is made again by the next."""
        self._stopping.set()
        await self._journal.close()
        await self._pushed.close()

    @property
    def receivers(self) -> list[str]:
        return list(self._lines)

    @property
    def waiting(self) -> int:
        """Pushes that their receiver has not taken."""
        return sum(push.taken_ns is None for pushes in self._pushes.values() for push in pushes)

    @property
    def fault(self) -> OSError | None:
        return self._journal.fault

    def state(self) -> list[dict[str, object]]:
        """Every telegram, oldest first, and how it fares at each receiver."""
        return [
            {
                "number": pushes[0].telegram.number,
                "name": pushes[0].telegram.name,
                "size": len(pushes[0].telegram.body),
                "at_ns": pushes[0].telegram.at_ns,
                "receivers": {push.receiver: push.state() for push in pushes},
            }
            for pushes in self._pushes.values()
        ]

    async def publish(self, body: bytes, receivers: Sequence[str]) -> Telegram:
        """Returns when the telegram is on disk; from then on it will be pushed. Raises OSError if the disk refused."""
        self._given += 1
        name = f"{self._given:06d}-{sha256(body).hexdigest()[:12]}.xml"
        telegram = Telegram(self._given, name, time.monotonic_ns(), body)
        row = {
            "number": telegram.number,
            "name": name,
            "to": list(receivers),
            "at_ns": telegram.at_ns,
            "body": b64encode(body).decode(),
        }
        await self._journal.commit(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
        self._line_up(telegram, receivers, {})
        return telegram

    def _line_up(
        self, telegram: Telegram, receivers: Sequence[str], taken: Mapping[tuple[int, str], int]
    ) -> None:
        pushes = self._pushes[telegram.number] = [Push(telegram, receiver) for receiver in receivers]
        for waiting in pushes:
            waiting.taken_ns = taken.get((telegram.number, waiting.receiver))
            if waiting.taken_ns is None and waiting.receiver in self._lines:
                self._lines[waiting.receiver].put(waiting)

    # -- in a thread for each receiver -------------------------------------------------------------------------

    def _serve(self, receiver: Receiver) -> None:
        while True:
            waiting, retry_s = self._lines[receiver.name].get(), FIRST_RETRY_S
            while not self._try(waiting, receiver):
                if self._stopping.wait(retry_s):
                    return
                retry_s = min(2 * retry_s, LAST_RETRY_S)

    def _try(self, waiting: Push, receiver: Receiver) -> bool:
        try:
            push(receiver, waiting.telegram.name, waiting.telegram.body)
        except ftplib.all_errors as error:
            self._loop.call_soon_threadsafe(self._failed, waiting, f"{type(error).__name__}: {error}")
            return False
        self._loop.call_soon_threadsafe(self._taken, waiting)
        return True

    # -- and what came of it -----------------------------------------------------------------------------------

    def _failed(self, waiting: Push, trouble: str) -> None:
        waiting.tries += 1
        if not waiting.trouble:
            say(f"{waiting.receiver} does not take telegram {waiting.telegram.number}: {trouble}")
        waiting.trouble = trouble

    def _taken(self, waiting: Push) -> None:
        waiting.tries += 1
        waiting.taken_ns = time.monotonic_ns()
        row = {"number": waiting.telegram.number, "receiver": waiting.receiver, "at_ns": waiting.taken_ns}
        self._pushed.note(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
        say(f"{waiting.receiver} has telegram {waiting.telegram.number} after {waiting.tries} tries")

    # -- after a restart ---------------------------------------------------------------------------------------

    def _recover(self) -> None:
        rows = (orjson.loads(line) for line in self._pushed.lines())
        taken = {(row["number"], row["receiver"]): row["at_ns"] for row in rows}
        for line in self._journal.lines():
            row = orjson.loads(line)
            telegram = Telegram(row["number"], row["name"], row["at_ns"], b64decode(row["body"]))
            self._line_up(telegram, row["to"], taken)
