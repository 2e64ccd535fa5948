"""Whether a mail is delivered: handed to the provider, and done when the carrier's handset shows it.

The service has no part in it: what its own mailers do is told by the check `mail`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import orjson

from harness.load import http1
from harness.load.access import Access
from harness.load.http1 import Reply
from harness.probes.board import Probe
from harness.probes.door import Asked, Door, Doors, Judged
from harness.probes.notices import Notices

#: How long a mail may take from the provider's API to the handset, in seconds.
ARRIVES_WITHIN_S: Final = 5.0
#: Mails of the probes are told from people's by this.
PREFIX: Final = "probe-"


class Submission:
    """The provider's API as all carriers' probes use it: what they hand over at one instant goes in one request.

    They are asked together, see the timetable; a request for each would cost the provider, and so those whom it is
    there for, three times as much.
    """

    def __init__(self, providers: Sequence[Door], host: str) -> None:
        self._doors, self._host = Doors(providers), host
        self._names = [door.name for door in providers]
        self._first = 0  # the provider's site that took the last ones
        self._messages: list[dict[str, object]] = []
        self._leaving: asyncio.Task[Asked] | None = None

    async def submit(self, name: str, to: str) -> Asked:
        """Hand over a mail of this id to that address."""
        self._messages.append(
            {
                "id": name,
                "to": to,
                "from": f"observer@{self._host}",
                "subject": "probe",
                "text": "probe",
                "headers": {},
            }
        )
        if self._leaving is None:
            self._leaving = asyncio.create_task(self._leave())
        return await asyncio.shield(self._leaving)

    async def _leave(self) -> Asked:
        await asyncio.sleep(0)  # whoever is asked at the same instant has its turn of the event loop before
        messages, self._messages, self._leaving = self._messages, [], None
        body = orjson.dumps({"messages": messages})
        request = http1.post("/v3/mail/send", self._host, body, "application/json", close=True)
        asked = await self._doors.ask(self._first, request, _accepted)
        if asked.outcome == "ok":
            self._first = self._names.index(asked.endpoint)
        return asked


class Mail(Probe):
    """A mail to the carrier's probe mailbox."""

    capability = "delivery"
    slow_s = 2.5  # a queue on the way is no failure yet

    def __init__(self, process: int, access: Access, submission: Submission, host: str) -> None:
        self.process, self.vantage = process, access.carrier
        self._submission, self._host = submission, host
        self._to = f"{PREFIX}{access.carrier}@{access.carrier}.example"
        self._expected: dict[str, asyncio.Future[None]] = {}
        self.notices = Notices(access.mail, self._to, self._arrived)

    async def ask(self, turn: int) -> tuple[int, Asked]:
        name = f"{PREFIX}{self.vantage}-{time.monotonic_ns()}@{self._host}"
        arrived = self._expected[name] = asyncio.get_running_loop().create_future()
        deadline_s = asyncio.get_running_loop().time() + ARRIVES_WITHIN_S
        try:
            asked = await self._submission.submit(name, self._to)
            if asked.outcome != "ok" and not asked.lingering:
                return 0, asked
            async with asyncio.timeout_at(deadline_s):
                await arrived
            return 0, replace(asked, outcome="ok", detail=None)
        except TimeoutError:
            detail = "accepted, but not arrived" if asked.outcome == "ok" else asked.detail
            return 0, replace(asked, outcome="info", detail=detail)
        finally:
            del self._expected[name]

    def _arrived(self, name: str) -> None:
        expected = self._expected.get(name)
        if expected is not None and not expected.done():
            expected.set_result(None)


def _accepted(reply: Reply) -> Judged:
    if reply.status == 202:
        return Judged()
    return Judged(f"http {reply.status}", elsewhere=reply.status >= 500, lingering=reply.status >= 500)
