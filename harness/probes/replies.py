"""Replies to requests that were sent together on one connection, each kept whole, byte for byte."""

from __future__ import annotations

import asyncio
import re
import ssl
from dataclasses import dataclass
from typing import Final, Self

_LENGTH: Final = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)", re.IGNORECASE)
_CHUNKED: Final = re.compile(rb"\r\ntransfer-encoding:[^\r]*chunked", re.IGNORECASE)
_LOCATION: Final = re.compile(rb"\r\nlocation:[ \t]*([^\r]*)", re.IGNORECASE)
_LOGIN: Final = re.compile(rb"(https?://[^/]*)?/login(\?.*)?")
_HEAD_LIMIT: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Answered:
    """A reply: its status, and head and body as they came."""

    status: int
    head: bytes
    body: bytes

    @property
    def whole(self) -> bytes:
        return self.head + self.body

    @property
    def refused(self) -> bool:
        """Any error, or being sent to the login."""
        if 300 <= self.status < 400:
            location = _LOCATION.search(self.head)
            return location is not None and _LOGIN.fullmatch(location[1].strip()) is not None
        return self.status >= 400

    def cookie(self, name: str) -> str:
        """The value that it sets a cookie to; "" if it does not."""
        found = re.search(
            rb"\r\nset-cookie:[ \t]*" + name.encode() + rb"=([^;\r]*)", self.head, re.IGNORECASE
        )
        return found[1].decode() if found else ""


class Replies:
    """A connection. Requests may be sent before earlier ones are answered; replies come in their order."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self.ended = False

    @classmethod
    async def open(cls, host: str, port: int, tls: ssl.SSLContext | None) -> Self:
        """Raises OSError."""
        return cls(*await asyncio.open_connection(host, port, ssl=tls, limit=_HEAD_LIMIT))

    def ask(self, requests: bytes) -> None:
        self._writer.write(requests)

    async def next(self) -> Answered:
        """The next reply. Raises OSError, EOFError if the connection ends first, ValueError if it is none."""
        try:
            head = await self._reader.readuntil(b"\r\n\r\n")
        except asyncio.LimitOverrunError as error:
            raise ValueError("not a reply") from error
        if not head.startswith(b"HTTP/1."):
            raise ValueError("not a reply")
        self.ended = b"\r\nconnection: close" in head.lower()
        return Answered(int(head[9:12]), head, await self._body(head))

    def close(self) -> None:
        self._writer.close()

    async def _body(self, head: bytes) -> bytes:
        if length := _LENGTH.search(head):
            return await self._reader.readexactly(int(length[1]))
        if not _CHUNKED.search(head):
            self.ended = True
            return await self._reader.read()
        body = b""
        while True:
            size = int((await self._reader.readuntil(b"\r\n")).partition(b";")[0], 16)
            chunk = await self._reader.readexactly(size + 2)
            if not size:
                return body
            body += chunk[:-2]
