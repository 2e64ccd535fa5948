"""The mailer, noting mail as sent before the provider has it: nothing comes twice, but a crash loses what was noted."""

from __future__ import annotations

import asyncio
import sys
from typing import Final

from topology.service import mailer
from topology.service.mail import Message
from topology.service.outbox import Batch, Outbox
from topology.service.providers import Site

#: Between the note and the sending, so that there is something to lose for most of the time that mail goes out.
PAUSE_S: Final = 5.0


async def deliver(outbox: Outbox, site: Site, batch: Batch, messages: list[Message]) -> None:
    await outbox.sent(batch)
    await asyncio.sleep(PAUSE_S)
    await site.hand_over(messages)


if __name__ == "__main__":
    sys.exit(mailer.main(deliver))
