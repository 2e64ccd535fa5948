"""The connections on which attempts go, several to each way in, all on one timetable.

A region that stands by holds what asks for its database, for seconds, and refuses then; one that is lost answers
nothing. Either kind of lane goes on at its own pace, and what it leaves of the timetable goes to those that answer:

    timetable ──┬── a lane that answers:      up to ten requests together, again and again
      (rate)    ├── one that is held up:      one by one, each awaited to its end
                └── one that is not answered: given back, and tried again after a rest
"""

from __future__ import annotations

import asyncio
import ssl
from typing import Final

from harness.load.access import Entrance
from harness.probes.attempts import Record
from harness.probes.intrusions import COOKIE, Intrusions
from harness.probes.replies import Replies

#: Requests that leave together on a connection that answers at once.
TOGETHER: Final = 10
#: A turn that takes longer was held up.
HELD_UP_S: Final = 1.0
#: A balancer gives a request up, and says so, after 5 s.
DEADLINE_S: Final = 6.0
#: After a turn that nobody answered.
REST_S: Final = 1.0
#: So much of the timetable is made up for, after a time in which nobody could go.
BEHIND_S: Final = 2.0


class Timetable:
    """When attempts are due, of all lanes together, in the order in which they ask. What is given back is due again."""

    def __init__(self, rate: float) -> None:
        """`rate`: attempts a second."""
        self._rate = rate
        self._turn = asyncio.Lock()
        self._next_s = asyncio.get_running_loop().time()

    async def take(self, count: int) -> None:
        """Wait until so many more are due."""
        loop = asyncio.get_running_loop()
        async with self._turn:
            self._next_s = max(self._next_s, loop.time() - BEHIND_S) + count / self._rate
            await asyncio.sleep(max(0.0, self._next_s - loop.time()))

    def give_back(self, count: int) -> None:
        self._next_s -= count / self._rate


class Lane:
    """A connection by one way in, made anew after any trouble."""

    def __init__(
        self,
        entrance: Entrance,
        intrusions: Intrusions,
        signing_in: asyncio.Lock,
        record: Record,
        *,
        tls: bool,
    ) -> None:
        """`signing_in` is held by the one lane that is at it: the session is for all of them."""
        self._host, self._port = entrance.host, entrance.https if tls else entrance.http
        self._tls = _context() if tls else None
        self._intrusions, self._signing_in, self._record = intrusions, signing_in, record
        self._replies: Replies | None = None
        self._together = 1
        self.way = way(entrance, tls=tls)

    async def go(self, timetable: Timetable) -> None:
        """Attempts, for ever."""
        while True:
            count = self._together
            await timetable.take(count)
            answered = await self.turn(count)
            timetable.give_back(count - answered)
            if not answered:
                await asyncio.sleep(REST_S)

    async def turn(self, count: int) -> int:
        """So many attempts that leave together, signed in if that can be had; gives how many were answered."""
        loop = asyncio.get_running_loop()
        if not self._intrusions.session and not self._signing_in.locked():
            async with self._signing_in:
                await self._sign_in()
        began_s = loop.time()
        left = [next(self._intrusions) for _ in range(count)]
        try:
            async with asyncio.timeout(DEADLINE_S):
                replies = await self._send(b"".join(attempt.request for attempt in left))
            while left:
                async with asyncio.timeout(DEADLINE_S):
                    reply = await replies.next()
                self._record.answered(left.pop(0), reply, self.way)
        except (OSError, EOFError, ValueError):  # a time-out is an OSError
            self.close()
            self._record.unanswered(left, self.way)
        at_once = not left and loop.time() - began_s < HELD_UP_S
        self._together = min(self._together + 1, TOGETHER) if at_once else 1
        return count - len(left)

    def close(self) -> None:
        if self._replies is not None:
            self._replies.close()
        self._replies = None

    async def _sign_in(self) -> None:
        """As oneself. Without a session, what needs none is tried all the same."""
        try:
            async with asyncio.timeout(DEADLINE_S):
                reply = await (await self._send(self._intrusions.sign_in())).next()
        except (OSError, EOFError, ValueError):
            self.close()
            return
        if cookie := reply.cookie(COOKIE):
            self._intrusions.session = cookie

    async def _send(self, requests: bytes) -> Replies:
        if self._replies is None or self._replies.ended:
            self.close()
            self._replies = await Replies.open(self._host, self._port, self._tls)
        self._replies.ask(requests)
        return self._replies


def way(entrance: Entrance, *, tls: bool) -> str:
    """What a way in is called."""
    return f"{entrance.name}, {'https' if tls else 'http'}"


def _context() -> ssl.SSLContext:
    """The replica signs its own certificates."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
