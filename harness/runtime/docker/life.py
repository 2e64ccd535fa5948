"""One life of a node: its container from a start to its end, as it is seen from this machine."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

from docker.errors import DockerException

from harness.runtime import house
from harness.runtime.docker.stream import Stream

#: What the engine still has to hand over when a container has ended.
LAST_WORDS_WITHIN_S: Final = 2.0


class Life:
    """The first process of a container and the network that it stands in.

    Both are held by descriptors, so that whoever gets their numbers next is never mistaken for them.
    """

    def __init__(self, pid: int) -> None:
        """Raises OSError where the engine's processes are not this machine's, or may not be looked at."""
        self._process = os.open(house.machine() / str(pid), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            self.network = os.open("ns/net", os.O_RDONLY | os.O_CLOEXEC, dir_fd=self._process)
        except OSError:
            os.close(self._process)
            raise

    def alive(self) -> bool:
        try:
            state = os.open("stat", os.O_RDONLY | os.O_CLOEXEC, dir_fd=self._process)
        except OSError:
            return False
        try:
            told = os.read(state, 4096)
        except OSError:
            return False
        finally:
            os.close(state)
        return told.rpartition(b")")[2].split()[0] not in (b"Z", b"X")

    def forget(self) -> None:
        """Let go of it; nothing of it can be asked any more."""
        os.close(self._process)
        os.close(self.network)


class Listener:
    """Writes to a file what a container prints, from before its start to its end."""

    def __init__(self, stream: Stream, log: Path) -> None:
        self._stream, self._log = stream, log
        self._thread = threading.Thread(target=self._write, name=log.stem, daemon=True)
        self._thread.start()

    def _write(self) -> None:
        # An engine that hangs up has nothing more to say.
        with self._log.open("ab", buffering=0) as file, suppress(OSError, DockerException), self._stream:
            for _, piece in self._stream.frames():
                file.write(piece)

    def hear_out(self) -> None:
        """Wait for the last words of a container that has ended."""
        self._thread.join(LAST_WORDS_WITHIN_S)
