"""The pages as a synthetic user sees them: read one's own, answer, sign in, by a carrier's entrances."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from harness.load import http1
from harness.load.http1 import Reply
from harness.probes.board import Probe
from harness.probes.config import Login
from harness.probes.directory import Directory
from harness.probes.door import Asked, Doors, Judged


@dataclass
class Register:
    """One synthetic person's answer: values 1, 2, … written one after the other, never two at a time.

    `doubtful` values were sent and not answered at some door. Such a request may be carried out much later
    and overwrite a newer value then; a page that shows one of them is not behind.
    """

    person: int
    token: str
    attempted: int = 0
    acknowledged: int = 0
    busy: bool = False
    doubtful: set[int] = field(default_factory=set)

    def is_behind(self, seen: int, floor: int) -> bool:
        """Whether a page that shows `seen` misses what had been acknowledged when it was asked for."""
        return seen < floor and seen not in self.doubtful


class Registers:
    """A carrier's synthetic people. They take turns at writing; reading is of the one written last."""

    def __init__(self, people: Sequence[tuple[int, str]]) -> None:
        self._all = [Register(person, token) for person, token in people]
        self.latest = self._all[0]

    def free(self, turn: int) -> Register | None:
        """Whose turn it is to write, or the next one who has no write under way."""
        count = len(self._all)
        return next((one for n in range(count) if not (one := self._all[(turn + n) % count]).busy), None)


class Read(Probe):
    """A person's own page must show the answer that was acknowledged last, or a later one."""

    capability = "read"

    def __init__(self, process: int, directory: Directory, registers: Registers, host: str) -> None:
        self.process, self.vantage = process, directory.carrier
        self._doors, self._registers, self._host = Doors(look_up=directory.doors), registers, host

    async def ask(self, turn: int) -> tuple[int, Asked]:
        register = self._registers.latest
        floor = register.acknowledged

        def judge(reply: Reply) -> Judged:
            if reply.status != 200:
                return _refused(reply)
            seen = http1.seen_value(reply.body)
            if seen is None:
                return Judged("not the page")
            return Judged("stale" if register.is_behind(seen, floor) else "", seen)

        request = http1.get(f"/a/{register.token}", self._host, close=True)
        return register.person, await self._doors.ask(turn, request, judge)


class Write(Probe):
    """An answer is acknowledged; only then does the register have it."""

    capability = "write"

    def __init__(self, process: int, directory: Directory, registers: Registers, host: str) -> None:
        self.process, self.vantage = process, directory.carrier
        self._doors, self._registers, self._host = Doors(look_up=directory.doors), registers, host

    async def ask(self, turn: int) -> tuple[int, Asked]:
        register = self._registers.free(turn)
        if register is None:
            return 0, Asked("info", "", detail="nobody free to write")
        register.attempted += 1
        value = register.attempted
        register.busy = True
        asked = Asked("info", "", value, lingering=True)
        try:
            request = http1.answer(register.token, self._host, value, close=True)
            asked = await self._doors.ask(turn, request, _taken)
        except asyncio.CancelledError:  # what was sent may be taken all the same: its value must be known
            asked = replace(asked, detail="stopped")
        finally:
            register.busy = False
            if asked.lingering:
                register.doubtful.add(value)
        if asked.outcome == "ok":
            register.acknowledged = value
            self._registers.latest = register
        return register.person, replace(asked, value=value)


class SignIn(Probe):
    """An administrator signs in: the service looks up the company and checks the password."""

    capability = "login"

    def __init__(self, process: int, directory: Directory, login: Login, host: str) -> None:
        self.process, self.vantage = process, directory.carrier
        self._doors = Doors(look_up=directory.doors)
        fields = {"company": str(login.company), "user": login.user, "password": login.password}
        self._request = http1.form("/login", host, fields, close=True)

    async def ask(self, turn: int) -> tuple[int, Asked]:
        return 0, await self._doors.ask(
            turn,
            self._request,
            lambda reply: Judged() if reply.status == 303 else _refused(reply),
        )


def _refused(reply: Reply) -> Judged:
    return Judged(f"http {reply.status}", elsewhere=reply.status >= 500)


def _taken(reply: Reply) -> Judged:
    if 200 <= reply.status < 300:
        return Judged()
    # A balancer says 503 also when it lost the server after passing the form on: it may have been taken.
    return Judged(f"http {reply.status}", elsewhere=reply.status >= 500, lingering=reply.status >= 500)
