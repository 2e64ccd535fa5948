"""Generations: full backups, sealed, the newest ten of them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from topology.platform.backup import positions
from topology.platform.backup.sealed import SUFFIX
from topology.platform.backup.settings import Settings, bound, programs
from topology.platform.durable import sync_folder, write

_START: Final = re.compile(r"log start point: ([0-9A-F]+/[0-9A-F]+) on timeline ([0-9]+)")
_END: Final = re.compile(r"log end point: ([0-9A-F]+/[0-9A-F]+)")
BASE: Final = f"base.tar.gz{SUFFIX}"
_ABOUT: Final = "about.json"
LOOK_EVERY_S: Final = 0.5


class NotMade(Exception):
    """A full backup that did not come about, and why."""


@dataclass(frozen=True)
class Generation:
    """One full backup. It can be restored to any instant after `ended` (ISO, wall clock) that the log reaches.

    `sealed_bytes` is what it takes on the disk.
    """

    name: str
    began: str
    ended: str
    start_lsn: str
    end_lsn: str
    timeline: int
    sealed_bytes: int

    @property
    def start(self) -> int:
        return positions.lsn(self.start_lsn)

    @property
    def end(self) -> int:
        return positions.lsn(self.end_lsn)


class Generations:
    def __init__(self, folder: Path) -> None:
        self.folder = folder / "generations"

    def open(self) -> None:
        """What a crash left unfinished goes."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for unfinished in self.folder.glob(".*"):
            shutil.rmtree(unfinished)

    def all(self) -> list[Generation]:
        """Oldest first."""
        found = []
        for about in self.folder.glob(f"[!.]*/{_ABOUT}"):
            try:
                found.append(Generation(**json.loads(about.read_text())))
            except (FileNotFoundError, ValueError, TypeError):
                continue  # being thrown away at this moment
        return sorted(found, key=lambda generation: generation.name)

    def base(self, generation: Generation) -> Path:
        return self.folder / generation.name / BASE

    def make(self, settings: Settings, source: str, gone: Callable[[], bool]) -> Generation:
        """A full backup now, from `source` (host:port), which takes writes; empty: nobody does. Raises NotMade.

        `gone` says that the primary does not answer any more: then what is still coming never comes.
        """
        if not source:
            raise NotMade("nobody takes writes")
        began = datetime.now(UTC)
        name = began.strftime("%Y%m%dT%H%M%S.%f")
        unfinished = self.folder / f".{name}"
        unfinished.mkdir(parents=True)
        try:
            size, said = _copy(settings, unfinished / BASE, source, gone)
            start, end = _START.search(said), _END.search(said)
            if start is None or end is None:
                raise NotMade(f"pg_basebackup does not say from where to where: {said[-300:]}")
            made = Generation(
                name=name,
                began=began.isoformat(),
                ended=datetime.now(UTC).isoformat(),
                start_lsn=start[1],
                end_lsn=end[1],
                timeline=int(start[2]),
                sealed_bytes=size,
            )
            write(unfinished / _ABOUT, json.dumps(asdict(made)).encode())
            unfinished.rename(self.folder / name)
            sync_folder(self.folder)
        except OSError as error:
            raise NotMade(str(error)) from None
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
        return made

    def keep(self, number: int) -> list[Generation]:
        """Throw the oldest away until there are no more than that. Those that are left."""
        there = self.all()
        for old in there[:-number]:
            shutil.rmtree(self.folder / old.name, ignore_errors=True)
        return there[-number:]


def _copy(settings: Settings, target: Path, source: str, gone: Callable[[], bool]) -> tuple[int, str]:
    """The sealed copy's size, and what pg_basebackup said. Raises NotMade, OSError.

    It brings the log that it needs to be whole, so that a generation can be restored without anything else.
    """
    command = [
        *bound(),
        str(programs() / "pg_basebackup"),
        f"--dbname={settings.source('replicator', f'{settings.node}-base', at=source)}",
        "--pgdata=-",
        "--format=tar",
        "--wal-method=fetch",
        "--compress=client-gzip:1",
        "--checkpoint=fast",
        f"--max-rate={settings.max_rate}",
        "--no-password",
        "--verbose",
    ]
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "LC_ALL": "C"},
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        threading.Thread(target=_end_when, args=(gone, process), daemon=True).start()
        try:
            size = settings.key.seal(process.stdout, target)
        except BaseException:
            process.kill()
            raise
        said = process.stderr.read().decode(errors="replace")
    if process.returncode != 0:
        raise NotMade(" ".join(said.split())[-300:])
    return size, said


def _end_when(gone: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None:
        if gone():
            process.kill()
        time.sleep(LOOK_EVERY_S)
