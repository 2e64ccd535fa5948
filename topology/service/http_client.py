"""Asking another node over HTTP: one question, one answer, one deadline.

HTTP/1.0, so that an answer is whatever comes until the connection closes. It needs nothing but asyncio, and starts
at once where a full client library would take longer to import than the rest of the program.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any, Final

from topology.service.settings import Address

LARGEST: Final = 64 * 1024 * 1024


class Unreached(Exception):
    """No connection could be made: the question certainly was not taken."""


class NoAnswer(Exception):
    """The question may have been taken, but no whole answer came within the time."""


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes

    def json(self) -> Any:
        """Raises NoAnswer if the body is not JSON."""
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise NoAnswer(f"not JSON: {self.body[:80]!r}") from error


async def ask(
    server: Address, path: str, body: bytes | None = None, *, connect_s: float = 1.0, within_s: float = 2.0
) -> Answer:
    """GET, or POST of JSON if there is a body. `within_s` is for all of it. Raises Unreached or NoAnswer."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within_s
    try:
        async with asyncio.timeout(min(connect_s, within_s)):
            reader, writer = await asyncio.open_connection(server.host, server.port, limit=LARGEST)
    except (OSError, TimeoutError) as error:
        raise Unreached(f"{server}: {error or 'no answer'}") from error
    try:
        async with asyncio.timeout_at(deadline):
            writer.write(_request(server, path, body))
            await writer.drain()
            head = await reader.readuntil(b"\r\n\r\n")
            return _answer(head, await reader.read(-1))
    except (
        OSError,
        TimeoutError,
        asyncio.IncompleteReadError,
        asyncio.LimitOverrunError,
        ValueError,
    ) as error:
        raise NoAnswer(f"{server}: {error or 'no answer'}") from error
    finally:
        writer.transport.abort()


def _request(server: Address, path: str, body: bytes | None) -> bytes:
    method = "GET" if body is None else "POST"
    lines = [f"{method} {path} HTTP/1.0", f"Host: {server}", "Connection: close"]
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + (body or b"")


def _answer(head: bytes, body: bytes) -> Answer:
    """Raises ValueError for a head that is not HTTP or a body cut short."""
    first, *lines = head.decode("latin-1").split("\r\n")
    status = int(first.partition(" ")[2][:3])
    for line in lines:
        name, _, value = line.partition(":")
        if name.lower() == "content-length" and int(value) != len(body):
            raise ValueError(f"{len(body)} of {int(value)} bytes came")
    return Answer(status, body)
