"""The pages as a synthetic user sees them: read one's own, answer, sign in, by a carrier's entrances."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from harness.load import http1
from harness.load.http1 import Reply
from harness.probes.board import Probe
from harness.probes.config import Login
from harness.probes.directory import Directory
from harness.probes.door import Asked, Doors, Judged

#: Of an answer that is not kept: a newer one than that on its form is.
_NEWER: Final = "http 409"


@dataclass
class Register:
    """One synthetic person's answer: values 1, 2, … written one after the other, never two at a time.

    `version` is that of the page that the person saw last. A value that was sent and not answered may be kept much
    later, but never after a newer one, so a page must never show less than what was acknowledged.
    """

    person: int
    token: str
    attempted: int = 0
    acknowledged: int = 0
    version: int = 0
    busy: bool = False


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
            return Judged("stale" if seen < floor else "", seen)

        request = http1.get(f"/a/{register.token}", self._host, close=True)
        return register.person, await self._doors.ask(turn, request, judge)


class Write(Probe):
    """An answer is acknowledged; only then does the register have it.

    Whose earlier answer was kept when nobody waited for it any more is told so, and sends the new one again.
    """

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
        asked = Asked("info", "", detail="stopped", lingering=True)
        try:
            said = await self._send(turn, register, value)
            asked = said if said.detail != _NEWER else await self._send(turn, register, value)
        except asyncio.CancelledError:  # what was sent may be taken all the same: its value must be known
            pass
        finally:
            register.busy = False
        if asked.outcome == "ok":
            register.acknowledged = value
            self._registers.latest = register
        return register.person, replace(asked, value=value)

    async def _send(self, turn: int, register: Register, value: int) -> Asked:
        request = http1.answer(register.token, self._host, value, version=register.version, close=True)
        asked = await self._doors.ask(turn, request, _taken)
        if asked.outcome == "ok" or asked.detail == _NEWER:
            register.version = asked.value
        return asked


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
    """What became of an answer; the value is the version of the page that came back."""
    version = http1.seen_version(reply.body)
    if 200 <= reply.status < 300:
        return Judged(value=version or 0)
    if reply.status == 409 and version is not None:
        return Judged(_NEWER, version)
    # A balancer says 503 also when it lost the server after passing the form on: it may have been taken.
    return Judged(f"http {reply.status}", elsewhere=reply.status >= 500, lingering=reply.status >= 500)
