"""Observers have a machine of their own; here they share one with what they observe, and must not wait for it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

_NICE: Final = -10
#: Linux shares the processor between sessions first (`sched_autogroup_enabled`); niceness counts only inside one.
_SESSION: Final = Path("/proc/self/autogroup")


def take() -> bool:
    """Run this process before those of the service. False where that needs rights which it does not have.

    What a probe waits for the processor would pass for the service's slowness. They are few and cost little; the load
    takes no such right, for it could starve the service that it uses.
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
