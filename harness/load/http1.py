"""HTTP/1.1 as bytes: requests out, replies in, piece by piece. No sockets, so that any event loop can use it.

A handset opens a connection for one visit. At that rate a full client library costs more processor time than
the service itself: Locust's FastHttpUser takes 0.55 ms for a request in plain http and 14 ms in TLS, where it
reads the certificate store anew for each connection.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

_LENGTH: Final = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)", re.IGNORECASE)
_CHUNKED: Final = re.compile(rb"\r\ntransfer-encoding:[^\r]*chunked", re.IGNORECASE)
_CURRENT: Final = re.compile(rb'<p\b[^>]*\bid="current"[^>]*>')
_COMMENT: Final = re.compile(rb'\bdata-comment="(\d+)"')
_VERSION: Final = re.compile(rb'<input\b[^>]*\bname="version"[^>]*\bvalue="(\d+)"')

#: The largest head of a reply that is still taken for one, in bytes.
_HEAD_LIMIT: Final = 65_536


class MalformedError(Exception):
    """What came is not an HTTP/1.1 reply."""


class NotSentError(Exception):
    """The request never left the handset: it cannot have had any effect. The text says why."""


class UnansweredError(Exception):
    """The request was sent and no whole reply came: it may have had its effect. The text says why."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole reply. `body` is decoded from chunks, not from any compression: none is asked for."""

    status: int
    body: bytes


def get(path: str, host: str, *, close: bool = False) -> bytes:
    """A GET request. With `close` the server is asked to end the connection after the reply."""
    return f"GET {path} HTTP/1.1\r\nHost: {host}\r\n{_ending(close)}\r\n".encode()


def post(path: str, host: str, body: bytes, content_type: str, *, close: bool = False) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: {content_type}\r\n"
        f"Content-Length: {len(body)}\r\n{_ending(close)}\r\n"
    )
    return head.encode() + body


def form(path: str, host: str, fields: Mapping[str, str], *, close: bool = False) -> bytes:
    """A POST request as a browser sends a form."""
    return post(path, host, urlencode(fields).encode(), "application/x-www-form-urlencoded", close=close)


def answer(
    token: str,
    host: str,
    value: int,
    status: str = "safe",
    come: str = "yes",
    *,
    version: int = 0,
    close: bool = False,
) -> bytes:
    """The answer form as the page of a personal link sends it; the register's value goes into the comment.

    `version`: what `seen_version` said of the page that the form is on.
    """
    fields = {"version": str(version), "status": status, "come": come, "comment": str(value)}
    return form(f"/a/{token}", host, fields, close=close)


def seen_value(page: bytes) -> int | None:
    """The register's value that an answer page shows: 0 before any answer, None for any other page."""
    current = _CURRENT.search(page)
    if current is None:
        return None
    comment = _COMMENT.search(current[0])
    return int(comment[1]) if comment else 0


def seen_version(page: bytes) -> int | None:
    """Which version of the answer a page's form would replace: 0 before any answer, None where there is no form."""
    found = _VERSION.search(page)
    return int(found[1]) if found else None


def _ending(close: bool) -> str:
    return "Connection: close\r\n" if close else ""


class Reader:
    """Reads one reply, piece by piece. In a stream, `take` hands over the body as it comes."""

    __slots__ = ("_buffer", "_chunked", "_left", "body", "complete", "status")

    def __init__(self) -> None:
        self.status = 0  # 0 until the head has come
        self.body = bytearray()
        self.complete = False
        self._buffer = b""
        self._left = (
            -1
        )  # bytes to come of the body or of the current chunk; -1: until the end, or not known yet
        self._chunked = False

    @property
    def begun(self) -> bool:
        """Whether anything at all has come."""
        return self.status != 0 or bool(self._buffer)

    def feed(self, data: bytes) -> bool:
        """Take a piece; true when the reply is whole. Raises MalformedError."""
        self._buffer += data
        if not self.status and not self._read_head():
            return False
        if self._chunked:
            self._read_chunks()
        else:
            self.body += self._buffer
            self._buffer = b""
            self.complete = 0 <= self._left <= len(self.body)
        return self.complete

    def end(self) -> bool:
        """The connection has ended; true when that makes a whole reply."""
        if self.status and not self._chunked and self._left < 0:
            self.complete = True
        return self.complete

    def take(self) -> bytes:
        """What has come of the body since the last call, in a stream that has no end."""
        taken = bytes(self.body)
        self.body.clear()
        return taken

    @property
    def reply(self) -> Reply:
        return Reply(self.status, bytes(self.body))

    def _read_head(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > _HEAD_LIMIT:
                raise MalformedError("a head without an end")
            return False
        head, self._buffer = self._buffer[:end], self._buffer[end + 4 :]
        if not head.startswith(b"HTTP/1.") or not head[9:12].isdigit():
            raise MalformedError(repr(head[:40]))
        self.status = int(head[9:12])
        self._chunked = _CHUNKED.search(head) is not None
        length = _LENGTH.search(head)
        if self.status in (204, 304):
            self._left = 0
        elif length is not None and not self._chunked:
            self._left = int(length[1])
        return True

    def _read_chunks(self) -> None:
        while not self.complete:
            if self._left < 0:  # the line with the size of the next chunk
                size, newline, rest = self._buffer.partition(b"\r\n")
                if not newline:
                    return
                try:
                    self._left = int(size.partition(b";")[0], 16)
                except ValueError as error:
                    raise MalformedError(f"chunk size {size[:20]!r}") from error
                if self._left == 0:
                    self.complete = True
                    return
                self._buffer = rest
            if len(self._buffer) < self._left + 2:  # a chunk ends with a line end of its own
                return
            self.body += self._buffer[: self._left]
            self._buffer = self._buffer[self._left + 2 :]
            self._left = -1
