"""Where a replica that stays up takes requests: a UNIX socket in the runs folder.

harness perform ──► {"runbook", "folder", "settings", "first"} ──► the keeper, inside the house
                ◄── {"say": …} lines, as they come
                ──► "stop", or the end of the connection: between two steps
                ◄── {"end": how it ended, "why": …}, or {"refused": "input" | "state", "why": …}
"""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from harness.runbook import parameters, reading
from harness.runbook.engine import Performance
from harness.runbook.journal import left_off, performances, unproven_holds
from harness.runbook.scene import Scene
from harness.rundir import Json
from topology.document import BadInput, Place, Scalar

FILE: Final = "up.sock"
LARGEST: Final = 1 << 20
#: How long a request waits for one that is about to end.
ENDS_WITHIN_S: Final = 5.0


@dataclass(frozen=True)
class Request:
    """`folder`: where runbooks are looked for beside those that come with the harness. `first`: the step to begin with;
    None: where the same runbook was left off. `again`: from the first step, whatever was left off. `by`: who asks."""

    runbook: str
    folder: str
    settings: tuple[str, ...]
    first: str | None
    again: bool
    by: str

    def line(self) -> bytes:
        return json.dumps({**vars(self), "settings": list(self.settings)}).encode() + b"\n"

    @classmethod
    def read(cls, line: bytes) -> Request:
        """Raises ValueError, KeyError or TypeError for what is none."""
        row = json.loads(line)
        return cls(
            row["runbook"], row["folder"], tuple(row["settings"]), row["first"], bool(row["again"]), row["by"]
        )


@contextmanager
def address(runs: Path) -> Iterator[str]:
    """The socket's address; by way of a descriptor, because an address has at most 107 bytes."""
    folder = os.open(runs, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{FILE}"
    finally:
        os.close(folder)


class Desk:
    """While its context lasts, requests are taken. One runbook at a time."""

    def __init__(self, runs: Path, scene: Scene) -> None:
        self._runs, self._scene = runs, scene
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._busy = threading.Lock()
        self._performing: Performance | None = None
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Desk:
        (self._runs / FILE).unlink(missing_ok=True)
        with address(self._runs) as at:
            self._socket.bind(at)
        self._socket.listen(8)
        threading.Thread(target=self._listen, name="desk", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """A runbook under way stops between two steps; that is waited for."""
        (self._runs / FILE).unlink(missing_ok=True)
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        if self._performing is not None:
            self._performing.asked.set()
        for thread in self._threads:
            thread.join()

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as lines:
            with suppress(ValueError, KeyError, TypeError, OSError):
                self._take(connection, Request.read(lines.readline(LARGEST)))
            # Who still listens on it would keep it open.
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _take(self, connection: socket.socket, request: Request) -> None:
        if not self._busy.acquire(timeout=0.0 if self._goes_on() else ENDS_WITHIN_S):
            now = self._performing.runbook if self._performing else "another request"
            _tell(connection, {"refused": "state", "why": f"a runbook is being performed: {now}"})
            return
        try:
            self._perform(connection, request)
        except BadInput as bad:
            _tell(connection, {"refused": "input", "why": str(bad)})
        finally:
            self._performing = None
            self._busy.release()

    def _goes_on(self) -> bool:
        """Whether a runbook is being performed that nobody has asked to stop."""
        now = self._performing
        return now is not None and now.outcome is None and not now.asked.is_set()

    def _perform(self, connection: socket.socket, request: Request) -> None:
        """Raises BadInput."""
        name = Scalar(request.runbook, request.runbook, Place("the command line"))
        known = reading.written(reading.SUPPLIED, Path(request.folder))
        topology = self._scene.stage.topology
        runbook = reading.bind(name, parameters.told(request.settings), known, topology)
        steps = [step.name for step in runbook.steps]
        if request.first is not None:
            Scalar(request.first, request.first, Place("--from")).as_word(steps)
        first = request.first or (None if request.again else left_off(self._scene.run.path, runbook))
        number = len(performances(self._scene.run.path)) + 1
        performance = Performance(
            f"{number}-{runbook.name}",
            runbook,
            self._scene,
            lambda text: _tell(connection, {"say": text}),
            by=request.by,
            skipped=unproven_holds(self._scene.run.path, runbook, first),
        )
        self._performing = performance
        threading.Thread(target=_hear, args=(connection, performance), daemon=True).start()
        begin = "from its first step" if first in (None, steps[0]) else f"from {first} on"
        _tell(connection, {"say": f"{runbook}: {begin}, {len(steps)} steps"})
        for hold in performance.skipped:
            _tell(connection, {"say": f"hold point skipped: {hold.name} is not proven; that is recorded"})
        outcome = performance.perform(first)
        _tell(connection, {"end": outcome.result, "step": outcome.step, "why": outcome.why})


def _hear(connection: socket.socket, performance: Performance) -> None:
    """Whoever says a word, or hangs up, wants it stopped."""
    with suppress(OSError):
        connection.recv(16)
    performance.asked.set()


def _tell(connection: socket.socket, row: Json) -> None:
    """Nobody may be there any more; what was done is on disk all the same."""
    with suppress(OSError):
        connection.sendall(json.dumps(row, ensure_ascii=False).encode() + b"\n")


def ask(runs: Path, request: Request) -> socket.socket:
    """Hand a request in. Raises OSError when nobody takes it."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with address(runs) as at:
            connection.connect(at)
        connection.sendall(request.line())
    except OSError:
        connection.close()
        raise
    return connection
