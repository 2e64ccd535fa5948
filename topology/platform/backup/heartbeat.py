"""How far the archive reaches, in time: the newest instant to which everything can be brought back."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final, TypeAlias

import psycopg

from topology.platform.backup import positions
from topology.platform.backup.archive import Archive, Reached
from topology.platform.backup.primary import find
from topology.platform.backup.receiving import Receiver
from topology.platform.backup.settings import CONNECT_S, Settings

ASK_EVERY_S: Final = 0.3
LOOK_EVERY_S: Final = 0.05
#: A primary that is silent for longer is taken for gone; a log that does not move for longer, for stuck.
STUCK_AFTER_S: Final = 3.0

Session: TypeAlias = "psycopg.Connection[tuple[object, ...]]"
#: `came_in` is what the primary knows to have reached the receiver.
_ASK: Final = """
    SELECT clock_timestamp(), pg_current_wal_flush_lsn()::text,
           (SELECT max(flush_lsn)::text FROM pg_stat_replication WHERE application_name = %s),
           current_setting('wal_segment_size')
"""


@dataclass(frozen=True)
class Beat:
    """Everything acknowledged before `at_ns` is in the log before `lsn`."""

    at_ns: int
    instant: str
    lsn: int
    came_in: int
    source: str


def segment_size(settings: Settings, over: threading.Event) -> int:
    """The primary's, in bytes. Raises psycopg.Error."""
    place = find(settings, over).place
    with psycopg.connect(
        settings.source("postgres", f"{settings.node}-size", "postgres", place)
    ) as connection:
        row = connection.execute(
            "SELECT setting::bigint FROM pg_settings WHERE name = 'wal_segment_size'"
        ).fetchone()
    assert row is not None
    return int(row[0])


@contextmanager
def _hung_up_on(connection: Session) -> Iterator[None]:
    """A connection that is silent for too long: power that goes, behind a proxy, is nothing but silence."""
    line = socket.socket(fileno=os.dup(connection.fileno()))
    timer = threading.Timer(STUCK_AFTER_S, lambda: line.shutdown(socket.SHUT_RDWR))
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        line.close()


class Heartbeat:
    """Asks the primary a few times a second; believes that something is in the archive once it has been swept there."""

    def __init__(
        self,
        settings: Settings,
        archive: Archive,
        receiver: Receiver,
        over: threading.Event,
        say: Callable[[str], None],
    ) -> None:
        self._settings, self._archive, self._receiver = settings, archive, receiver
        self._over, self._say = over, say
        self.why = "not asked yet"  # why nothing is heard; empty while something is

    def run(self) -> None:
        while not self._over.is_set():
            try:
                with self._connect() as connection:
                    self._beat(connection)
            except psycopg.Error as error:
                self._miss(" ".join(str(error).split()))
                self._receiver.follow("")
                self._over.wait(ASK_EVERY_S)

    def _beat(self, connection: Session) -> None:
        """As long as this connection lasts and the log comes in. Raises psycopg.Error when it does not last."""
        waiting: list[Beat] = []
        farthest, moved_s = 0, time.monotonic()
        while not self._over.is_set():
            beat = self._ask(connection)
            self._hear()
            waiting = self._confirm([*waiting, beat], beat.came_in)
            if beat.came_in > farthest or not waiting:
                farthest, moved_s = beat.came_in, time.monotonic()
            elif time.monotonic() - moved_s > CONNECT_S + STUCK_AFTER_S:
                self._say("the log does not come in; asking for it again")
                self._receiver.follow("")
                return

    def _connect(self) -> Session:
        name = f"{self._settings.node}-pulse"
        place = find(self._settings, self._over).place
        source = self._settings.source("postgres", name, "postgres", place)
        connection = psycopg.connect(f"{source} options='-c statement_timeout=2000'", autocommit=True)
        self._receiver.follow(place)
        return connection

    def _ask(self, connection: Session) -> Beat:
        asked_ns = time.monotonic_ns()
        with _hung_up_on(connection):
            row = connection.execute(_ASK, [self._receiver.name]).fetchone()
        assert row is not None
        instant, lsn, came_in = row[0], str(row[1]), row[2]
        return Beat(
            at_ns=asked_ns,
            instant=getattr(instant, "isoformat")(),  # noqa: B009
            lsn=positions.lsn(lsn),
            came_in=positions.lsn(str(came_in)) if came_in else 0,
            source=f"{connection.info.host}:{connection.info.port}",
        )

    def _confirm(self, beats: list[Beat], came_in: int) -> list[Beat]:
        """Wait for the next sweep to end; write down the newest beat that it covers. Those that it does not cover."""
        wanted = self._receiver.begun + 1
        deadline_s = time.monotonic() + STUCK_AFTER_S
        while self._receiver.swept < wanted and not self._over.wait(LOOK_EVERY_S):
            if time.monotonic() > deadline_s:
                return beats
        covered = [beat for beat in beats if beat.lsn <= came_in]
        if covered:
            newest = covered[-1]
            reached = Reached(
                lsn=positions.as_text(newest.lsn),
                instant=newest.instant,
                at_ns=newest.at_ns,
                source=newest.source,
                segment_size=self._archive.size,
            )
            with suppress(FileNotFoundError):  # the archive was wiped, which others see to
                self._archive.reach(reached)
        return [beat for beat in beats if beat.lsn > came_in]

    def _hear(self) -> None:
        if self.why:
            self._say("the primary answers")
        self.why = ""

    def _miss(self, why: str) -> None:
        if not self.why:
            self._say(f"the primary does not answer: {why[-200:]}")
        self.why = why or "no answer"
