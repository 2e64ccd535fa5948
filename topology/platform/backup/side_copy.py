"""A restored copy of the cluster, started: PostgreSQL replays the log and then serves, beside the service."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import psycopg

from topology.platform.backup import positions
from topology.platform.backup.settings import programs, unprivileged
from topology.platform.database_configuration import NETWORK, SHARED_MEMORY

STARTS_WITHIN_S: Final = 300.0
STOPS_WITHIN_S: Final = 20.0
LOOK_EVERY_S: Final = 0.1
#: A socket's path has at most 107 bytes, of which its name takes some.
LONGEST_DOOR: Final = 80
LOG: Final = "archived-log"
_CONFIGURATION: Final = "restored.conf"
_ACCESS: Final = "restored_access.conf"
_SAYS: Final = "restored.log"
_STATE: Final = "SELECT pg_is_in_recovery(), pg_last_wal_replay_lsn()::text"
#: The log ended before the target: nothing was committed after it, so its end is what was asked for.
_ENDED_BEFORE: Final = "recovery ended before configured recovery target was reached"


class CannotServe(Exception):
    """A restored copy that does not start, with the last lines that PostgreSQL wrote."""


@dataclass(frozen=True)
class Target:
    """Where a replay ends: at an instant, or just before a transaction; without either, at the log's end."""

    instant: datetime | None = None
    transaction: int | None = None
    inclusive: bool = True

    def settings(self) -> dict[str, object]:
        if self.transaction is not None:
            return {"recovery_target_xid": self.transaction, "recovery_target_inclusive": "off"}
        if self.instant is not None:
            inclusive = "on" if self.inclusive else "off"
            return {
                "recovery_target_time": self.instant.isoformat(sep=" "),
                "recovery_target_inclusive": inclusive,
            }
        return {}


@dataclass(frozen=True)
class SideCopy:
    """Files that `restore` put there.

    `standby_at`: it stays a standby, which others can copy and nobody can write to, and serves once it has all of the
    log before this position (as in `0/4000060`).
    """

    data: Path
    until: Target = Target()
    durable: bool = False
    standby_at: str | None = None

    def prepare(self, port: int, *, listen: str) -> None:
        """Settings of its own, instead of those of the cluster that it is a copy of."""
        log = shlex.quote(str(self._log))
        standby = self.standby_at is not None
        lines = {
            "listen_addresses": listen,
            "port": port,
            "unix_socket_directories": ".",  # its files
            "hba_file": self.data / _ACCESS,
            "max_connections": 200,  # of those that it had: a replay wants no fewer
            "max_wal_senders": 16,  # the same
            "hot_standby": "on" if standby else "off",
            "shared_buffers": "32MB",
            "dynamic_shared_memory_type": SHARED_MEMORY,
            "recovery_init_sync_method": "syncfs",
            "fsync": "on" if self.durable else "off",
            "io_method": "sync",
            "autovacuum": "on" if self.durable else "off",
            "log_error_verbosity": "terse",
            "log_min_error_statement": "panic",
            "restore_command": f"cp {log}/%f %p",
            "recovery_target_timeline": "latest",
            "recovery_target_action": "promote",
        }
        lines |= self.until.settings()
        if standby:
            (self.data / LOG).rename(self._log)
            (self.data / "recovery.signal").rename(self.data / "standby.signal")
        text = "".join(f"{name} = '{_escaped(value)}'\n" for name, value in lines.items())
        (self.data / _CONFIGURATION).write_text(text)
        (self.data / _ACCESS).write_text(
            f"local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\nhost all all {NETWORK} scram-sha-256\n"
            + (f"host replication replicator {NETWORK} scram-sha-256\n" if standby else "")
        )

    @contextmanager
    def serving(self, port: int = 5432, *, listen: str = "") -> Iterator[str]:
        """Started, replayed, writable (or a standby); gives how to connect as its superuser. Raises CannotServe."""
        self.prepare(port, listen=listen)
        with self._reachable():
            process = self._start()
            try:
                if not self._await(process, port):
                    process.wait()
                    SideCopy(self.data, Target(), self.durable).prepare(port, listen=listen)
                    process = self._start()
                    self._await(process, port)
                yield self.source(port)
            finally:
                _stop(process)

    def source(self, port: int, database: str = "postgres") -> str:
        return f"host={self._door} port={port} user=postgres dbname={database}"

    @property
    def _log(self) -> Path:
        """Where the log is that it replays: among its files, but of those that others copy beside them."""
        return self.data / LOG if self.standby_at is None else self.data.with_name(f"{self.data.name}-{LOG}")

    @contextmanager
    def _reachable(self) -> Iterator[None]:
        if self._door == self.data.absolute():
            yield
            return
        self._door.unlink(missing_ok=True)
        self._door.symlink_to(self.data.absolute())
        try:
            yield
        finally:
            self._door.unlink(missing_ok=True)

    @property
    def _door(self) -> Path:
        """Where its socket is found: among its files, or by a shorter way there if its path is too long."""
        beside = self.data.absolute()
        if len(str(beside)) <= LONGEST_DOOR:
            return beside
        return Path(f"/tmp/restored-{zlib.crc32(bytes(beside)):08x}")  # noqa: S108

    def _start(self) -> subprocess.Popen[bytes]:
        said = self.data / _SAYS
        said.unlink(missing_ok=True)
        server = [str(programs() / "postgres"), "-D", str(self.data)]
        with said.open("wb") as log:
            return subprocess.Popen(
                [*unprivileged(), *server, "-c", f"config_file={self.data / _CONFIGURATION}"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "LC_ALL": "C"},
                start_new_session=True,
            )

    def _await(self, process: subprocess.Popen[bytes], port: int) -> bool:
        """True when it serves; False when the log ended before the target. Raises CannotServe."""
        deadline_s = time.monotonic() + STARTS_WITHIN_S
        while process.poll() is None:
            try:
                with psycopg.connect(self.source(port), connect_timeout=2) as connection:
                    row = connection.execute(_STATE).fetchone()
                if row is not None and self._is_ready(in_recovery=row[0], replayed=row[1]):
                    return True
            except psycopg.Error:
                pass
            if time.monotonic() > deadline_s:
                _stop(process)
                raise CannotServe(f"not within {STARTS_WITHIN_S:g} s: {self.said()}")
            time.sleep(LOOK_EVERY_S)
        if self.until.instant is not None and _ENDED_BEFORE in self.said():
            return False
        raise CannotServe(self.said())

    def _is_ready(self, *, in_recovery: bool, replayed: str | None) -> bool:
        if self.standby_at is None:
            return not in_recovery
        return replayed is not None and positions.lsn(replayed) >= positions.lsn(self.standby_at)

    def said(self, lines: int = 3) -> str:
        """The last lines in which PostgreSQL told of trouble; of any, if there was none."""
        told = (self.data / _SAYS).read_text(errors="replace").splitlines()
        trouble = [line for line in told if "FATAL:" in line or "PANIC:" in line]
        return " | ".join((trouble or told)[-lines:])


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(STOPS_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _escaped(value: object) -> str:
    return str(value).replace("'", "''")
