"""The users of a service run on machines of their own; here they share one with it, and must not wait for it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

_NICE: Final = -10
#: Linux shares the processor between sessions first (`sched_autogroup_enabled`); niceness counts only inside one.
_SESSION: Final = Path("/proc/self/autogroup")


def take() -> bool:
    """Run this process before those of the service. False where that needs rights which it does not have.

    A load that waits for the processor is a smaller load, and its waiting would pass for the service's.
    """
    try:
        if os.getsid(0) != os.getpid():
            os.setsid()  # else the whole session that started this would come with it
        os.setpriority(os.PRIO_PROCESS, 0, _NICE)
        if _SESSION.exists():
            _SESSION.write_text(str(_NICE))
    except OSError:
        return False
    return True
