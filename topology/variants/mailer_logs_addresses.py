"""The mailer, telling in its log to whom each mail goes, as one does while looking for a mistake."""

from __future__ import annotations

import logging
import sys
from typing import Final

from topology.service import mailer
from topology.service.mail import Message
from topology.service.outbox import Batch, Outbox
from topology.service.providers import Site

log: Final = logging.getLogger("mailer")


async def deliver(outbox: Outbox, site: Site, batch: Batch, messages: list[Message]) -> None:
    log.info("to %s: %s", site.name, ", ".join(str(message["to"]) for message in messages))
    await mailer.deliver(outbox, site, batch, messages)


if __name__ == "__main__":
    sys.exit(mailer.main(deliver))
