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


class Mail(Probe):
    """A mail to the carrier's probe mailbox."""

    capability = "delivery"
    slow_s = 2.5  # a queue on the way is no failure yet

    def __init__(self, process: int, access: Access, providers: Sequence[Door], host: str) -> None:
        self.process, self.vantage = process, access.carrier
        self._doors, self._host = Doors(providers), host
        self._names = [door.name for door in providers]
        self._first = 0  # the provider's site that took the last one
        self._to = f"{PREFIX}{access.carrier}@{access.carrier}.example"
        self._expected: dict[str, asyncio.Future[None]] = {}
        self.notices = Notices(access.mail, self._to, self._arrived)

    async def ask(self, turn: int) -> tuple[int, Asked]:
        name = f"{PREFIX}{self.vantage}-{time.monotonic_ns()}@{self._host}"
        arrived = self._expected[name] = asyncio.get_running_loop().create_future()
        deadline_s = asyncio.get_running_loop().time() + ARRIVES_WITHIN_S
        try:
            asked = await self._doors.ask(self._first, self._request(name), _accepted)
            if asked.outcome == "ok":
                self._first = self._names.index(asked.endpoint)
            elif not asked.lingering:
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

    def _request(self, name: str) -> bytes:
        message = {
            "id": name,
            "to": self._to,
            "from": f"observer@{self._host}",
            "subject": "probe",
            "text": "probe",
            "headers": {},
        }
        body = orjson.dumps({"messages": [message]})
        return http1.post("/v3/mail/send", self._host, body, "application/json", close=True)


def _accepted(reply: Reply) -> Judged:
    if reply.status == 202:
        return Judged()
    return Judged(f"http {reply.status}", elsewhere=reply.status >= 500, lingering=reply.status >= 500)
