"""A backup node as a real process on loopback."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pyrage

from tests.topology.service.node import Node, run, until
from tests.topology.service.postgres import PASSWORD, Postgres
from topology.platform.backup.side_copy import SideCopy, Target

KEY = str(pyrage.x25519.Identity.generate())


class BackupNode:
    """A backup node on loopback. `program` is a role, or a module with a variant of it."""

    def __init__(self, folder: Path, *primaries: Postgres, program: str = "backup", **more: str) -> None:
        self.folder = folder
        self.scratch = folder / "scratch"
        self.scratch.mkdir(parents=True)
        self.environment = {
            "NODE": "backup-t",
            "ZONE": "tokyo.a",
            "PRIMARIES": ",".join(f"127.0.0.1:{each.port}" for each in primaries),
            "DATABASE_PASSWORD": PASSWORD,
            "BACKUP_KEY": KEY,
            "BACKUP_MAX_RATE": "1048576",  # the line is nobody else's
            "DATA": str(folder / "data"),
            "TMPDIR": str(self.scratch),
            **more,
        }
        self.node = Node(program, self.environment, folder / "log")

    def start(self) -> BackupNode:
        self.node.start().until_healthy()
        return self

    def copy(self, folder: Path) -> BackupNode:
        """Another one, not started, with the archive as it is now: programs can be run on it."""
        shutil.copytree(self.folder / "data", folder / "data")
        return BackupNode(folder, PRIMARIES=self.environment["PRIMARIES"])

    def told(self) -> Mapping[str, Any]:
        told: Mapping[str, Any] = json.loads(self.node.ask("GET", "/backups").body)
        return told

    def reached(self) -> datetime:
        """The newest restorable instant; the beginning of time while there is none."""
        reached = self.told()["reached"]
        return datetime.fromisoformat(reached["instant"] if reached else "1970-01-01T00:00:00+00:00")

    def await_all_until(self, instant: datetime, within_s: float = 15) -> None:
        until(lambda: self.reached() > instant, within_s, f"{instant} is archived", self.node.read_log)

    def await_generations(self, number: int, within_s: float = 30) -> None:
        until(
            lambda: len(self.told()["generations"]) >= number,
            within_s,
            f"{number} generations",
            self.node.read_log,
        )

    def run(self, program: str, *args: str) -> subprocess.CompletedProcess[str]:
        return run(program, self.environment, *args)

    def verify(self) -> list[dict[str, Any]]:
        done = self.run("verify-backups")
        assert done.stdout, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]


def now(server: Postgres) -> datetime:
    instant = server.query("SELECT clock_timestamp() AS now")[0]["now"]
    time.sleep(0.002)  # what comes next has a later time
    assert isinstance(instant, datetime)
    return instant


def write(server: Postgres, *numbers: int, note: str = "") -> None:
    for number in numbers:
        server.query("INSERT INTO notes VALUES ($1, $2)", number, note)


def switch_segments(server: Postgres, times: int) -> None:
    for _ in range(times):
        server.query("SELECT pg_logical_emit_message(false, 'filler', 'x')")
        server.query("SELECT pg_switch_wal()")


def notes(node: BackupNode, into: Path, *args: str) -> list[int]:
    """What a restored copy holds, after it replayed the log."""
    done = node.run("restore", "--into", str(into), *args)
    assert done.returncode == 0, done.stderr
    instant = json.loads(done.stdout)["until"]
    copy = SideCopy(into, Target(datetime.fromisoformat(instant) if instant else None))
    with copy.serving(5433), psycopg.connect(copy.source(5433, "anpi")) as connection:
        return [int(number) for (number,) in connection.execute("SELECT number FROM notes ORDER BY 1")]
