"""A terminal with somebody at it: a pseudo-terminal, what it shows at the moment, and keys."""

from __future__ import annotations

import fcntl
import os
import select
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pyte

from tests.commands import PATIENCE, environment

COLUMNS, LINES = 120, 60


class Terminal:
    """`slave` is where a program reads and writes. Closing it hangs up on whoever has it as their terminal."""

    def __init__(self) -> None:
        self._master, self.slave = os.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        self._screen = pyte.HistoryScreen(COLUMNS, LINES, history=2000, ratio=0.01)
        self._screen.write_process_input = self._answer  # where the cursor is, when it is asked for
        self._stream: Final = pyte.ByteStream(self._screen)
        self._lock = threading.Lock()
        self._ends, self._ended = os.pipe()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _answer(self, text: str) -> None:
        os.write(self._master, text.encode())

    def _read(self) -> None:
        while self._ends not in select.select([self._master, self._ends], [], [])[0]:
            try:
                read = os.read(self._master, 65536)
            except OSError:  # nobody has it as their terminal any more
                return
            with self._lock:
                self._stream.feed(read)

    @property
    def text(self) -> str:
        """All that it has shown, and shows."""
        with self._lock:
            above = ["".join(row[x].data for x in range(COLUMNS)) for row in self._screen.history.top]
            return "\n".join(line.rstrip() for line in [*above, *self._screen.display])

    def colours(self, word: str) -> set[tuple[str, str, bool]]:
        """(letters, ground, bold) of every place where the screen shows a word."""
        with self._lock:
            found = set()
            for y, line in enumerate(self._screen.display):
                at = line.find(word)
                while at >= 0:
                    cell = self._screen.buffer[y][at]
                    found.add((cell.fg, cell.bg, cell.bold))
                    at = line.find(word, at + 1)
            return found

    def shows(self, text: str, within_s: float = 20.0) -> None:
        """Wait until it does."""
        self.until(lambda: text in self.text, text, within_s)

    def until(self, condition: Callable[[], bool], what: str, within_s: float = 20.0) -> None:
        deadline = time.monotonic() + within_s * PATIENCE
        while not condition():
            assert time.monotonic() < deadline, f"never: {what}\n{self.text}"
            time.sleep(0.02)

    def types(self, line: str) -> None:
        os.write(self._master, f"{line}\r".encode())

    def presses(self, keys: bytes) -> None:
        os.write(self._master, keys)

    def close(self) -> None:
        """As a window is closed. Whoever still read from it would keep it open."""
        os.write(self._ended, b"!")
        self._reader.join()
        os.close(self._master)


def start(terminal: Terminal, *argv: str, runs: Path) -> subprocess.Popen[bytes]:
    """The command line as somebody at that terminal starts it."""

    def take() -> None:
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    process = subprocess.Popen(
        [sys.executable, "-m", "harness", "--runs", str(runs), *argv],
        stdin=terminal.slave,
        stdout=terminal.slave,
        stderr=terminal.slave,
        env={**environment(), "TERM": "xterm-256color"},
        preexec_fn=take,
    )
    os.close(terminal.slave)
    return process
