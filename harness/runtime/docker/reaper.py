"""A process that outlives the harness by a few seconds, and removes from the engine what the harness left.

    harness ─── pipe ──> reaper        a session of its own: nothing that is sent to the harness reaches it
       ✗        its end tells that the harness is gone, whatever ended it

What it removes bears the label of that harness's session. An engine that does not answer is waited for.
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from typing import Final

from harness.runtime import CannotRun
from harness.runtime.docker import engine, labels
from harness.runtime.docker.removal import remove

#: In the environment of a harness, and of all below it: the session that a reaper watches over.
SESSION: Final = "HARNESS_SESSION"
GIVES_UP_AFTER_S: Final = 600.0
LOOKS_AGAIN_S: Final = 0.5
#: What the harness asked for last may come into being after it ended: it is over when nothing was there that often.
CLEAN_LOOKS: Final = 3

_held: list[int] = []


def session() -> str:
    """The session that this process and those below it are watched over in. Begun by the first to ask, for its life."""
    if SESSION not in os.environ:
        os.environ[SESSION] = _begin()
    return os.environ[SESSION]


def _begin() -> str:
    name = secrets.token_hex(6)
    watched, held = os.pipe()
    subprocess.Popen(
        [sys.executable, "-m", __name__, name],
        stdin=watched,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        start_new_session=True,
    )
    os.close(watched)
    _held.append(held)  # never closed but by the end of this process
    return name


def reap(name: str) -> int:
    """Remove what bears that session's label, until nothing does. The exit status: 1 for what could not be removed."""
    deadline_s = time.monotonic() + GIVES_UP_AFTER_S
    clean = 0
    while time.monotonic() < deadline_s:
        try:
            left = remove(engine.reach(), {labels.SESSION: name})
        except (CannotRun, *engine.SILENT):
            left = ["unknown"]
        clean = 0 if left else clean + 1
        if clean == CLEAN_LOOKS:
            return 0
        time.sleep(LOOKS_AGAIN_S)
    return 1


def main(name: str) -> int:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    while sys.stdin.buffer.read(4096):
        pass
    return reap(name)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
