"""Watches the storage under a database, and ends the node when it is gone.

PostgreSQL notices a broken disk when it next writes to it, and a primary to which nobody writes goes on for as long as
its memory lasts: it answers, is healthy by all that asks it, and could keep nothing. So a process beside it writes a
few bytes every second and syncs them. When the disk refuses them, or does not answer for a long time, the node is told
to end, and made to if it does not: a node without a disk is of no use, and another can take its place.

A disk that is full is not gone; PostgreSQL itself says so and goes on when there is room.
"""

from __future__ import annotations

import errno
import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

WRITE_EVERY_S: Final = 1.0
#: A disk of a busy machine may take seconds. The lease of a primary (20 s) should not end before this.
SILENT_S: Final = 15.0
ENDS_WITHIN_S: Final = 10.0
#: What Patroni needs to give up its lease when PostgreSQL has crashed: three of its rounds, which are a second long.
#: Told to end in the middle of it, it would keep the lease for all of its 20 s.
GIVES_UP_WITHIN_S: Final = 3.0
LOOK_EVERY_S: Final = 0.1
#: What says that there is no disk any more, or none that takes writes.
GONE: Final = frozenset({errno.EIO, errno.EROFS, errno.ENXIO, errno.ENODEV, errno.ESHUTDOWN})


@dataclass(frozen=True)
class StorageWatch:
    """`folder` is on the storage that is watched."""

    node: str
    folder: Path

    def refusal(self) -> str:
        """Why the storage takes nothing, in words; empty while it does. It may also never return."""
        path = self.folder / ".storage-watch"
        try:
            with path.open("wb") as file:
                file.write(b"%d\n" % time.time_ns())
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            return os.strerror(error.errno or 0) if error.errno in GONE else ""
        return ""

    def keep(self, parent: int) -> None:
        """Until the storage is gone: then the process that started this one is ended."""
        why = await_refusal(self.refusal, lambda: os.getppid() == parent)
        if os.getppid() != parent:
            return
        print(f"{self.node}: the storage is gone ({why}); this node ends", flush=True)
        gives_up_by_s = time.monotonic() + GIVES_UP_WITHIN_S
        while os.getppid() == parent and not _runs("postgres") and time.monotonic() < gives_up_by_s:
            time.sleep(LOOK_EVERY_S)
        with suppress(ProcessLookupError):
            os.kill(parent, signal.SIGTERM)
        ended_by_s = time.monotonic() + ENDS_WITHIN_S
        while os.getppid() == parent and time.monotonic() < ended_by_s:
            time.sleep(LOOK_EVERY_S)
        # A PID 1 cannot be killed from inside; it ends with what it runs.
        for pid in (*_children(parent), parent):
            if pid != os.getpid() and os.getppid() == parent:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def fork(self) -> None:
        """`keep` in a process beside this one. Raises SystemExit where the storage is gone already."""
        if why := self.refusal():
            raise SystemExit(f"{self.node}: the storage takes nothing ({why})")
        parent = os.getpid()
        if os.fork() == 0:
            try:
                self.keep(parent)
            finally:
                os._exit(0)


def await_refusal(
    look: Callable[[], str],
    wanted: Callable[[], bool],
    every_s: float = WRITE_EVERY_S,
    silent_s: float = SILENT_S,
) -> str:
    """Look again and again for as long as it is wanted; gives the first refusal, or that a look did not end."""
    while wanted():
        said: list[str] = []

        def once(said: list[str] = said) -> None:
            said.append(look())

        # In a thread of its own: nothing can interrupt a write that hangs.
        looking = threading.Thread(target=once, daemon=True)
        looking.start()
        looking.join(silent_s)
        if not said:
            return f"no answer within {silent_s:g} s"
        if said[0]:
            return said[0]
        time.sleep(every_s)
    return ""


def _runs(program: str) -> bool:
    """Whether any process of this node is of that name."""
    for path in Path("/proc").glob("[0-9]*/comm"):
        with suppress(OSError):
            if path.read_text().strip() == program:
                return True
    return False


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
