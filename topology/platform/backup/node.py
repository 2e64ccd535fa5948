"""The backup node: full backups once a day, ten generations, and the log as it is written, from whoever takes writes.

PRIMARIES names every place where the writable database may be found (host:port, …); BACKUP_KEY seals all that is
kept; BACKUP_EVERY_S is from one full backup to the next, in drill seconds. On port 8000: GET /health, GET /backups.
"""

from __future__ import annotations

import json
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

import psycopg

from topology.platform.backup.archive import Archive, read_reached
from topology.platform.backup.generations import Generations, NotMade
from topology.platform.backup.heartbeat import Heartbeat, segment_size
from topology.platform.backup.receiving import Receiver
from topology.platform.backup.sealed import Key
from topology.platform.backup.settings import GENERATIONS, Settings
from topology.platform.backup.verify import FILE as VERIFIED

LOOK_EVERY_S: Final = 0.25
TRY_AGAIN_AFTER_S: Final = 2.0
#: On the disk for as long as the archive is what this node made it.
_MARK: Final = "begun"


class Backup:
    """What one node does, and what it tells of it."""

    def __init__(
        self,
        settings: Settings,
        size: int,
        over: threading.Event,
        archive: Callable[[Path, Key, int], Archive] = Archive,
    ) -> None:
        self.settings, self._over = settings, over
        self.archive = archive(settings.data, settings.key, size)
        self.generations = Generations(settings.data)
        self.receiver = Receiver(settings, self.archive, over, say)
        self.heartbeat = Heartbeat(settings, self.archive, self.receiver, over, say)
        self._why = ""

    def run(self) -> None:
        self.archive.open()
        self.generations.open()
        (self.settings.data / _MARK).touch()
        threads = [
            threading.Thread(target=work, name=work.__qualname__, daemon=True)
            for work in (self.receiver.run, self.heartbeat.run)
        ]
        for thread in threads:
            thread.start()
        while not self._over.wait(LOOK_EVERY_S) and all(thread.is_alive() for thread in threads):
            self._notice_a_wiped_archive()
            if self._due():
                self._make()
        self._over.set()
        for thread in threads:
            thread.join()

    def _due(self) -> bool:
        """Not before the log comes in: what is written during the copy must be in the archive, too."""
        if self.archive.reached() is None:
            return False
        there = self.generations.all()
        if not there or self.receiver.torn.is_set():
            return True
        age_s = time.time() - datetime.fromisoformat(there[-1].began).timestamp()
        return age_s >= self.settings.every_s

    def _make(self) -> None:
        torn = self.receiver.torn.is_set()
        try:
            made = self.generations.make(
                self.settings, self.receiver.source, lambda: bool(self.heartbeat.why)
            )
        except NotMade as failure:
            if str(failure) != self._why:
                say(f"no full backup: {failure}")
            self._why = str(failure)
            self._over.wait(TRY_AGAIN_AFTER_S)
            return
        if torn:
            self.receiver.torn.clear()
        self._why = ""
        say(f"generation {made.name}: {made.sealed_bytes} bytes, {made.start_lsn} to {made.end_lsn}")
        if kept := self.generations.keep(GENERATIONS):
            with suppress(FileNotFoundError):  # the archive was wiped, which is seen to next
                self.archive.discard_before(kept[0].start // self.archive.size)

    def _notice_a_wiped_archive(self) -> None:
        mark = self.settings.data / _MARK
        if not mark.exists():
            say("the archive was wiped; beginning anew")
            self.archive.open()
            self.generations.open()
            self.receiver.forget()
            mark.touch()

    def status(self) -> Mapping[str, object]:
        """What GET /backups tells. Times are ISO (wall clock) and CLOCK_MONOTONIC nanoseconds of this host."""
        reached = self.archive.reached()
        generations = self.generations.all()
        first = generations[0].start // self.archive.size if generations else None
        extent = self.archive.extent(first)
        verified = self.settings.data / VERIFIED
        return {
            "node": self.settings.node,
            "zone": self.settings.zone,
            "now_ns": time.monotonic_ns(),
            "every_s": self.settings.every_s,
            "receiving": self.receiver.receiving and not self.heartbeat.why,
            "why": self.heartbeat.why or self._why,
            "reached": asdict(reached) if reached else None,
            "generations": [asdict(generation) for generation in generations],
            "log": extent.names() if extent else None,
            "verified": [json.loads(line) for line in verified.read_text().splitlines()]
            if verified.exists()
            else [],
        }

    def healthy(self) -> bool:
        """Whether there is anything to restore from."""
        return bool(self.generations.all())


def main(archive: Callable[[Path, Key, int], Archive] = Archive) -> int:
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    settings = Settings.from_environment()
    backups: list[Backup] = []
    server = ThreadingHTTPServer(("", settings.port), _handler(backups))
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    say(f"ready: http {server.server_address[1]}")
    size = _await_size(settings, over)
    if size:
        backups.append(Backup(settings, size, over, archive))
        backups[0].run()
    server.shutdown()
    return 0


def say(line: str) -> None:
    print(line, flush=True)


def _await_size(settings: Settings, over: threading.Event) -> int:
    """The segment size, from what is there already or from the primary; 0 when told to stop before."""
    reached = read_reached(settings.data / "reached.json")
    if reached is not None:
        return reached.segment_size
    while not over.is_set():
        with suppress(psycopg.Error):
            return segment_size(settings, over)
        over.wait(LOOK_EVERY_S)
    return 0


def _handler(backups: list[Backup]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/health":
                well = bool(backups) and backups[0].healthy()
                self._answer(
                    HTTPStatus.OK if well else HTTPStatus.SERVICE_UNAVAILABLE, b"ok\n" if well else b""
                )
            elif self.path == "/backups" and backups:
                self._answer(HTTPStatus.OK, json.dumps(backups[0].status()).encode(), "application/json")
            elif self.path == "/backups":
                self._answer(HTTPStatus.SERVICE_UNAVAILABLE, b"no primary was ever found\n")
            else:
                self._answer(HTTPStatus.NOT_FOUND, b"")

        def _answer(self, status: HTTPStatus, body: bytes, kind: str = "text/plain") -> None:
            with suppress(OSError):  # who only looked at the status has hung up
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


if __name__ == "__main__":
    sys.exit(main())
