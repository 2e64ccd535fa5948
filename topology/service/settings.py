"""What a program of the service is told by its environment."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

#: From the first word of a disaster to the broadcast, in drill seconds, so that a false alarm can be taken back.
HOLD_S: Final = 600.0


@dataclass(frozen=True)
class Address:
    """Where a server listens. `host` is also the name by which Patroni knows a database node."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Settings:
    """`clock_scale` is drill seconds to a real second; all other times of the service are real seconds."""

    node: str
    zone: str
    clock_scale: float
    databases: tuple[Address, ...]
    consensus: tuple[Address, ...]
    database_password: str
    synchronous: bool
    bind: str
    port: int
    data: Path
    environment: Mapping[str, str]

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Raises SystemExit, naming the variable, if one is missing or unreadable."""
        given = os.environ if environment is None else environment
        try:
            return cls(
                node=given.get("NODE") or socket.gethostname(),
                zone=given.get("ZONE", ""),
                clock_scale=float(given.get("CLOCK_SCALE", "1")),
                databases=addresses(given["DATABASES"]),
                consensus=addresses(given.get("CONSENSUS", "")),
                database_password=given["DATABASE_PASSWORD"],
                synchronous=given.get("DATABASE_SYNCHRONOUS", "on") != "off",
                bind=given.get("BIND", "0.0.0.0"),
                port=int(given.get("PORT", "8000")),
                data=Path(given.get("DATA", "/mnt/data")),
                environment=dict(given),
            )
        except KeyError as missing:
            raise SystemExit(f"the environment variable {missing.args[0]} is not set") from None
        except ValueError as wrong:
            raise SystemExit(f"an environment variable cannot be read: {wrong}") from None

    def get(self, name: str, default: str | None = None) -> str:
        """A variable that only this role knows. Raises SystemExit if it is not set and has no default."""
        value = self.environment.get(name, default)
        if value is None:
            raise SystemExit(f"the environment variable {name} is not set")
        return value

    @property
    def hold_ns(self) -> int:
        """The hold, in real nanoseconds."""
        return round(HOLD_S / self.clock_scale * 1e9)


def addresses(text: str) -> tuple[Address, ...]:
    """`a:1,b:2` as addresses. Raises ValueError for what is not of this form."""
    return tuple(_address(part.strip()) for part in text.split(",") if part.strip())


def _address(text: str) -> Address:
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdigit():
        raise ValueError(f"{text!r} is not host:port")
    return Address(host, int(port))
