"""A connection to the engine over which a container's input and output flow, as `attach` and `exec` speak it."""

from __future__ import annotations

import http.client
import json
import socket
import struct
import time
from collections.abc import Iterator
from typing import Any, Final, Self
from urllib.parse import urlsplit

from docker.errors import DockerException

STDOUT, STDERR = 1, 2
#: Which output a piece is of, and its length.
FRAME: Final = struct.Struct(">BxxxL")
OPENS_WITHIN_S: Final = 30.0


class _ByPath(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Stream:
    """Opened by a POST that turns into a stream. Use as a context manager."""

    def __init__(self, engine: str, path: str, body: Any = None) -> None:
        """`engine` is where it listens, `path` what is asked for. Raises OSError, DockerException."""
        self._connection = _connection(engine)
        headers = {"Connection": "Upgrade", "Upgrade": "tcp", "Content-Type": "application/json"}
        try:
            self._connection.request("POST", path, json.dumps(body) if body is not None else None, headers)
            assert self._connection.sock is not None
            self._socket: socket.socket = self._connection.sock
            self._response = self._connection.getresponse()
        except http.client.HTTPException as error:
            raise OSError(f"the engine hung up: {error!r}") from None
        if self._response.status not in (http.client.SWITCHING_PROTOCOLS, http.client.OK):
            said = self._response.read().decode(errors="replace")
            raise DockerException(f"{self._response.status}: {said}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._response.close()
        self._connection.close()

    def send(self, data: bytes) -> None:
        """Give it input and say that this is all. Raises OSError."""
        self._socket.sendall(data)
        self._socket.shutdown(socket.SHUT_WR)

    def frames(self, within_s: float | None = None) -> Iterator[tuple[int, bytes]]:
        """The pieces of both outputs, until their end. Raises OSError, TimeoutError."""
        deadline_s = time.monotonic() + within_s if within_s is not None else None
        while head := self._read(FRAME.size, deadline_s):
            which, length = FRAME.unpack(head)
            yield which, self._read(length, deadline_s)

    def _read(self, length: int, deadline_s: float | None) -> bytes:
        """That many bytes, or none at the end."""
        got = b""
        while len(got) < length:
            left_s = deadline_s - time.monotonic() if deadline_s is not None else None
            if left_s is not None and left_s <= 0:
                raise TimeoutError
            self._socket.settimeout(left_s)
            # From the buffer that the answer's head was read through: it may hold the first pieces already.
            piece = self._response.fp.read1(length - len(got))
            if not piece:
                return b""
            got += piece
        return got


def _connection(engine: str) -> http.client.HTTPConnection:
    parts = urlsplit(engine)
    if parts.scheme in ("unix", "http+unix"):
        return _ByPath(parts.path, OPENS_WITHIN_S)
    return http.client.HTTPConnection(
        parts.hostname or "localhost", parts.port or 2375, timeout=OPENS_WITHIN_S
    )
