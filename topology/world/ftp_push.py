"""Pushing one file to one FTP server."""

from __future__ import annotations

import ftplib
from dataclasses import dataclass
from io import BytesIO

TIMEOUT_S = 3.0
"""Real seconds that any one step may take: a receiver that lost its power never says so."""


@dataclass(frozen=True)
class Receiver:
    """An FTP server that takes telegrams."""

    name: str
    port: int
    user: str
    password: str

    @classmethod
    def at(cls, place: str, user: str, password: str) -> Receiver:
        """Read `host:port`. Raises ValueError that shows what is not one."""
        host, _, port = place.rpartition(":")
        if not (host and port.isdecimal()):
            raise ValueError(f"FEEDS: expected host:port, found {place!r}")
        return cls(host, int(port), user, password)


def push(receiver: Receiver, name: str, body: bytes) -> None:
    """Store a file. Returns when the receiver says that it has it; raises one of ftplib.all_errors if not."""
    with ftplib.FTP(timeout=TIMEOUT_S) as connection:  # noqa: S321 - it is how the agency delivers
        connection.connect(receiver.name, receiver.port)
        connection.login(receiver.user, receiver.password)
        connection.storbinary(f"STOR {name}", BytesIO(body))
