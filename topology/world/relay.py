"""From the provider's lines to the carriers: a few lasting sessions for each domain, patient with their troubles.

A carrier that is gone, or has something against a mail, is tried again later and later. One that throttles is brought
as many at a time as it took the last time, and a few more, after a pause that stays the same: mails that all came back
at once after ever longer pauses would leave it idle in between, and be late for no reason (2018-07-06).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import aiosmtplib

from topology.world.lines import Lines
from topology.world.mail import Mail
from topology.world.site import say
from topology.world.smtp_out import Letter, Reply, SmtpSession

SESSIONS = 2
"""Connections to one carrier: while one waits for the carrier's disk, the other writes."""
BATCH = 64
"""Mails that share a round trip."""
FIRST_RETRY_S, LAST_RETRY_S = 60.0, 600.0
"""A carrier that is gone, or a mail that it refuses for now, is tried again after so long, in drill seconds, doubling.
Without end: only what a carrier refuses for good is given up."""
CONNECT_S, ANSWER_S = 2.0, 15.0
"""Real seconds: a connection that is not there by then, a server silent for so long, is gone."""
LAST_BATCH_S = 3.0
"""Real seconds that batches on their way have when the program is told to stop."""
SUSPENSION_SEEN_S: Final = 0.5
"""Real seconds: how soon who waits to try again sees that there is nothing to try any more."""
SUSPENDED: Final = "550 5.7.1 Suspended by an operator"
"""What is said of a mail for a domain that is suspended."""


@dataclass(frozen=True)
class Exchanger:
    """Where mails for a domain go."""

    domain: str
    host: str
    port: int


def routes(text: str) -> dict[str, Exchanger]:
    """Read `domain=host:port,…`. Raises ValueError that shows the route that is not one."""
    found = {}
    for route in filter(None, text.split(",")):
        domain, equals, place = route.strip().partition("=")
        host, colon, port = place.rpartition(":")
        if not (domain and equals and host and colon and port.isdecimal()):
            raise ValueError(f"MAIL_ROUTES: expected domain=host:port, found {route!r}")
        found[domain.lower()] = Exchanger(domain.lower(), host, int(port))
    return found


def patience_s(failures: int, scale: float) -> float:
    """How long to wait after so many failures in a row, in real seconds, of which one is `scale` drill seconds."""
    return min(FIRST_RETRY_S * 2.0 ** min(failures - 1, 30), LAST_RETRY_S) / scale


class Pace:
    """How many mails a session brings at a time: `BATCH`, until the carrier says that it is too many."""

    def __init__(self) -> None:
        self.most = BATCH

    def learn(self, taken: int, throttled: int) -> None:
        """Of the last batch so many were taken, and so many put off because there were too many."""
        if throttled:
            self.most = min(BATCH, _a_few_more(taken))
        elif taken:
            self.most = min(BATCH, max(self.most, _a_few_more(taken)))


def _a_few_more(number: int) -> int:
    return number + number // 4 + 1


class Outcomes(Protocol):
    """Who is told what became of a mail."""

    async def recordable(self) -> None:
        """Wait until it can be recorded what becomes of a mail."""

    def finish(self, mail: Mail, result: str, reply: str) -> None: ...

    def defer(self, mail: Mail, reply: str) -> None: ...


class Relay:
    """Relays mails from the moment it is made until it is stopped. Needs a running event loop."""

    def __init__(
        self,
        name: str,
        exchangers: Mapping[str, Exchanger],
        clock_scale: float,
        lines: Lines,
        outcomes: Outcomes,
        suspended: Container[str] = (),
    ) -> None:
        """`suspended`: domains to which nothing is relayed at the moment; what is for them bounces."""
        self._name = name
        self._scale = clock_scale
        self._lines = lines
        self._outcomes = outcomes
        self._suspended = suspended
        self._lost: set[str] = set()
        self._refused: dict[str, int] = {}
        self._stopping = False
        self._sending: set[asyncio.Task[None]] = set()
        loop = asyncio.get_running_loop()
        self._tasks = [
            loop.create_task(self._serve(to)) for to in exchangers.values() for _ in range(SESSIONS)
        ]

    async def stop(self) -> None:
        """Let batches on their way come to their end, and hang up. What is not relayed stays queued."""
        self._stopping = True
        if self._sending:
            await asyncio.wait(self._sending, timeout=LAST_BATCH_S)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, to: Exchanger) -> None:
        """Keep one session with a carrier, and relay over it whatever comes up."""
        session: SmtpSession | None = None
        failures, pace = 0, Pace()
        try:
            while not self._stopping:
                mails = await self._lines.take(to.domain, pace.most)
                # What is relayed and not recorded is relayed once more after a restart.
                await self._outcomes.recordable()
                if to.domain in self._suspended:
                    for mail in mails:
                        self._outcomes.finish(mail, "bounced", SUSPENDED)
                    continue
                if session is None or session.broken:
                    session = await self._open(to)
                replies = await self._send(session, mails) if session else [None] * len(mails)
                self._settle(to, mails, replies)
                throttled = sum(reply is not None and reply.throttles for reply in replies)
                pace.learn(sum(reply is not None and reply.taken for reply in replies), throttled)
                if throttled:
                    failures = 0
                    await self._rest(to, patience_s(1, self._scale))
                    continue
                # A carrier that is gone, or refuses everything for now, is left in peace for a while.
                failures = 0 if any(reply and reply.final for reply in replies) else failures + 1
                if failures:
                    await self._rest(to, patience_s(failures, self._scale))
        finally:
            if session is not None:
                session.close()

    async def _rest(self, to: Exchanger, seconds: float) -> None:
        """Leave a carrier in peace for so long, or until it is suspended: what waits for it is over then."""
        ends_s = time.monotonic() + seconds
        while to.domain not in self._suspended and (left_s := ends_s - time.monotonic()) > 0:
            await asyncio.sleep(min(left_s, SUSPENSION_SEEN_S))

    async def _open(self, to: Exchanger) -> SmtpSession | None:
        try:
            session = await SmtpSession.open(
                to.host, to.port, name=self._name, connect_s=CONNECT_S, timeout_s=ANSWER_S
            )
        except (OSError, aiosmtplib.SMTPException) as error:
            if to.domain not in self._lost:
                say(f"{to.domain} cannot be reached: {error}")
                self._lost.add(to.domain)
            return None
        if to.domain in self._lost:
            say(f"{to.domain} is back, {self._lines.queued} mails queued")
            self._lost.discard(to.domain)
        return session

    async def _send(self, session: SmtpSession, mails: Sequence[Mail]) -> list[Reply | None]:
        task = asyncio.current_task()
        assert task is not None
        self._sending.add(task)
        try:
            return await session.send([Letter(mail.return_path, mail.to, mail.compose()) for mail in mails])
        finally:
            self._sending.discard(task)

    def _settle(self, to: Exchanger, mails: Sequence[Mail], replies: Sequence[Reply | None]) -> None:
        """Tell what became of each mail. What was one too many, or nobody answered for, goes back to the front."""
        again = []
        for mail, reply in zip(mails, replies, strict=True):
            if reply is None:
                again.append(mail)
            elif reply.final:
                self._refused.pop(mail.id, None)
                self._outcomes.finish(mail, "ok" if reply.taken else "bounced", str(reply))
            elif reply.throttles:
                self._outcomes.defer(mail, str(reply))
                again.append(mail)
            else:
                self._refuse(to, mail, reply)
        self._lines.put_back(to.domain, again)

    def _refuse(self, to: Exchanger, mail: Mail, reply: Reply) -> None:
        times = self._refused[mail.id] = self._refused.get(mail.id, 0) + 1
        self._outcomes.defer(mail, str(reply))
        asyncio.get_running_loop().call_later(
            patience_s(times, self._scale), self._lines.put_back, to.domain, [mail]
        )
