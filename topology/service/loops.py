"""Work that a program does again and again, for as long as it lives."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from topology.service.database import Unavailable

log: Final = logging.getLogger("loop")


async def forever(name: str, step: Callable[[], Awaitable[bool]], pause_s: float) -> None:
    """Take the step again at once while it says that there was work, else after the pause.

    A step that fails is taken again after the pause: no input and no outage ends the program. That the database cannot
    be used is said once when it begins and once when it is over.
    """
    trouble = ""
    while True:
        try:
            busy = await step()
        except Unavailable as error:
            busy = False
            if not trouble:
                log.warning("%s waits: %s", name, error)
            trouble = str(error) or "unavailable"
        except Exception:
            busy = False
            log.exception("%s failed and will be tried again", name)
        else:
            if trouble:
                log.info("%s goes on", name)
            trouble = ""
        await asyncio.sleep(0 if busy else pause_s)
