"""The sites of the delivery provider, as this mailer finds them."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Sequence
from enum import Enum
from typing import Final

from topology.service.http_client import NoAnswer, Unreached, ask
from topology.service.mail import Message
from topology.service.settings import Address

log: Final = logging.getLogger("mailer")

CONNECT_S: Final = 1.0
#: Less than the lease of a claim, so that two mailers do not work on one batch.
TAKEN_WITHIN_S: Final = 6.0
#: A site that could not be reached, or could take nothing, is left alone for so long.
REST_S: Final = 2.0
#: The site could take nothing of what it was handed, because its disk did not.
TOOK_NOTHING: Final = 503
#: A site that could not be reached for so long, and never in between, is dead: its batches go to another site,
#: at the risk that a few mails come twice.
DEAD_S: Final = 30.0


class Outcome(Enum):
    TAKEN = "taken"
    NOT_TAKEN = "not taken"
    UNKNOWN = "unknown"


class Site:
    def __init__(self, address: Address, dead_s: float = DEAD_S) -> None:
        self.name = str(address)
        self._address = address
        self._dead_s = dead_s
        self._lost_s: float | None = None
        self._tried_s = float("-inf")

    async def hand_over(self, messages: Sequence[Message]) -> Outcome:
        """TAKEN only when the site says that it has them all."""
        body = json.dumps({"messages": messages}, ensure_ascii=False).encode()
        try:
            answer = await ask(
                self._address, "/v3/mail/send", body, connect_s=CONNECT_S, within_s=TAKEN_WITHIN_S
            )
        except Unreached as error:
            self._unreached(error)
            return Outcome.NOT_TAKEN
        except NoAnswer as error:
            log.warning("the provider gave no answer: %s", error)
            return Outcome.UNKNOWN
        if answer.status == TOOK_NOTHING:
            self._unreached(f"{self.name} takes nothing (status {TOOK_NOTHING})")
            return Outcome.NOT_TAKEN
        self._lost_s = None
        if answer.status == 202:
            return Outcome.TAKEN
        log.error("%s refused %d mails with status %d", self.name, len(messages), answer.status)
        return Outcome.UNKNOWN if answer.status >= 500 else Outcome.NOT_TAKEN

    @property
    def resting(self) -> bool:
        return self._lost_s is not None and asyncio.get_running_loop().time() - self._tried_s < REST_S

    @property
    def dead(self) -> bool:
        return self._lost_s is not None and asyncio.get_running_loop().time() - self._lost_s > self._dead_s

    def _unreached(self, why: Unreached | str) -> None:
        self._tried_s = asyncio.get_running_loop().time()
        if self._lost_s is None:
            log.warning("the provider's site cannot be used: %s", why)
            self._lost_s = self._tried_s
