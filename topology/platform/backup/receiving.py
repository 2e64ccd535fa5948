"""Receiving the log: pg_receivewal writes it to memory-backed scratch space; from there it is sealed into the archive.

The archive knows where to go on, the receiver is told by an empty shell: a file of the name and the length of the
last segment, which takes no space. What a new primary does not have in its history stays in the archive beside it.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import psycopg

from topology.platform.backup import positions
from topology.platform.backup.archive import Archive
from topology.platform.backup.positions import Segment
from topology.platform.backup.settings import Settings, bound, programs

#: What the log may grow by before it is on the disk: a third of a second of it.
SWEEP_EVERY_S: Final = 0.3
AGAIN_AFTER_S: Final = 0.3
#: Told to stop, a receiver takes leave of its server and waits for the reply: of a lost one there is none, ever.
LEAVES_WITHIN_S: Final = 1.0
#: A receiver that gets nothing and is told nothing hangs on a dead line.
STATUS_EVERY_S: Final = 1

_NOT_IN_HISTORY: Final = "is not in this server's history"
_REMOVED: Final = "has already been removed"


class Receiver:
    """Keeps the log coming for as long as `over` is not set. `say` is told what it does about trouble."""

    def __init__(
        self, settings: Settings, archive: Archive, over: threading.Event, say: Callable[[str], None]
    ) -> None:
        self._settings, self._archive, self._over, self._say = settings, archive, over, say
        self._folder = settings.scratch / "receiving"
        self._ends: dict[str, int] = {}  # up to which byte each unfinished segment is in the archive
        self.begun = self.swept = 0  # how often what had come in was looked through, and was in the archive
        self._again = threading.Event()
        self.torn = threading.Event()  # set when the log cannot be followed without a gap
        self.receiving = False
        self.source = ""  # where the database that takes writes is, host:port; empty while nobody knows

    @property
    def name(self) -> str:
        """By which the primary knows the receiver."""
        return f"{self._settings.node}-log"

    def run(self) -> None:
        self._begin_anew()
        while not self._over.is_set():
            self._again.clear()
            if source := self.source:
                why = self._receive(source)
                if not self._over.is_set():
                    self._recover(why, source)
            if not self._again.is_set():
                self._over.wait(AGAIN_AFTER_S)

    def follow(self, source: str) -> None:
        """From now on what is written there (host:port). Empty: the present connection leads to nobody who writes."""
        if source != self.source:
            self.source = source
            self._again.set()

    def forget(self) -> None:
        """The archive is not what it was: put all that is still here into it once more."""
        self._ends.clear()

    def sweep(self) -> None:
        """Put everything that has come in into the archive."""
        self.begun += 1
        for path in sorted(self._folder.iterdir()):
            with suppress(FileNotFoundError):  # it got its final name meanwhile
                if path.suffix == ".history":
                    self._archive.add_history(path.name, path.read_text())
                elif path.suffix == ".partial":
                    self._add_piece(path)
                elif path.stat().st_blocks:
                    self._archive.add_whole(path.name, path.read_bytes())
                    self._ends.pop(path.name, None)
                    self._leave_shell(path.name)
        self.swept = self.begun

    def _receive(self, source: str) -> str:
        """Until the line ends or another source is to be followed. What pg_receivewal says about its end."""
        self._throw_away_unfinished_padding()
        with self._receivewal(source) as process:
            while process.poll() is None and not self._again.is_set() and not self._over.wait(SWEEP_EVERY_S):
                self.sweep()
            self.receiving = False
            why = _end(process)
        self.sweep()
        return why

    def _receivewal(self, source: str) -> subprocess.Popen[bytes]:
        command = [
            *bound(),
            str(programs() / "pg_receivewal"),
            f"--directory={self._folder}",
            f"--dbname={self._settings.source('replicator', self.name, at=source)}",
            "--no-loop",
            "--no-password",
            "--synchronous",  # so that the primary is told at once what has come in
            f"--status-interval={STATUS_EVERY_S}",
        ]
        self.receiving = True
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={**os.environ, "LC_ALL": "C"},
        )

    def _add_piece(self, path: Path) -> None:
        name = path.name.removesuffix(".partial")
        begin = self._ends.setdefault(name, self._archive.piece_end(name))
        with path.open("rb") as file:
            file.seek(begin)
            length = len(file.read().rstrip(b"\0"))
            file.seek(begin)
            data = file.read(length)  # once more: all of this much was written before it was looked at
        if data:
            self._archive.add_piece(name, begin, data)
            self._ends[name] = begin + len(data)

    # -- where to go on ----------------------------------------------------------------------------------------

    def _throw_away_unfinished_padding(self) -> None:
        """A segment that its receiver was killed over before it had its length: it refuses to go on with it."""
        for path in self._folder.glob("*.partial"):
            if path.stat().st_size not in (0, self._archive.size):
                path.unlink()

    def _begin_anew(self) -> None:
        """Where the archive ends; where there is none, the primary says where."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
        newest = self._archive.newest()
        if newest is not None:
            number = newest.number if newest in self._archive.whole() else newest.number - 1
            self._go_on_after(Segment(newest.timeline, number))

    def _go_on_after(self, segment: Segment) -> None:
        self._leave_shell(segment.name(self._archive.size))

    def _leave_shell(self, name: str) -> None:
        for other in self._folder.iterdir():
            if len(other.name) == 24 and other.name != name and other.stat().st_blocks == 0:
                other.unlink()
        with (self._folder / name).open("wb") as file:
            file.truncate(self._archive.size)

    def _recover(self, why: str, source: str) -> None:
        """After the receiver gave up: usually it is the line, and is tried again; if the history, go on elsewhere."""
        said = " ".join(why.split())
        if said:
            self._say(f"the log stopped: {said[-300:]}")
        if _NOT_IN_HISTORY in why:
            self._follow_the_fork(source)
        elif _REMOVED in why:
            self._say("the primary has no longer what comes next: there is a gap in the archive")
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder.mkdir(parents=True)
            self._ends.clear()
            self.torn.set()

    def _follow_the_fork(self, source: str) -> None:
        """The new primary left the history of the old one before the end of what the old one had sent."""
        with suppress(psycopg.Error):
            _, mine = self._archive.chain()
            first = positions.next_after_fork(mine, self._history(source), self._archive.size)
            if first is None:
                self._say("the primary is on a timeline that was left; the log stays as it is")
                return
            self._say(f"the log forked; following it from {first.name(self._archive.size)}")
            for path in self._folder.iterdir():
                path.unlink()
            self._go_on_after(Segment(first.timeline, first.number - 1))

    def _history(self, source: str) -> list[positions.Switch]:
        """How the primary's timeline came about, which goes into the archive. Raises psycopg.Error."""
        about = self._settings.source("postgres", f"{self._settings.node}-history", "postgres", source)
        with psycopg.connect(about, autocommit=True) as connection:
            row = connection.execute("SELECT pg_walfile_name(pg_current_wal_lsn())").fetchone()
            timeline = int(row[0][:8], 16) if row else 1
            name = f"{timeline:08X}.history"
            read = "SELECT pg_read_file('pg_wal/' || %s, true)"
            row = connection.execute(read, [name]).fetchone()
        if row is None or row[0] is None:
            return []
        self._archive.add_history(name, row[0])
        return positions.switches(timeline, row[0])


def _end(process: subprocess.Popen[bytes]) -> str:
    """It ends, whether or not its server takes notice. What it said, for as long as it was not killed."""
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGINT)
    try:
        return process.communicate(timeout=LEAVES_WITHIN_S)[1].decode(errors="replace")
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return "the server does not let the receiver go"
