"""A place to stand: a node from which others look. It answers GET /health on port 8000 and does nothing else.

As the first process of its node it also buries what was started there and lost its parent. It imports next to nothing,
so that it is there at once.
"""

from __future__ import annotations

import os
import signal
import socket
from contextlib import suppress
from types import FrameType
from typing import NoReturn

PORT = 8000
_PATIENCE_S = 0.5
_LARGEST_HEAD = 8192
_FOUND = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n"
_NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def answer(connection: socket.socket) -> None:
    """Answer one request. Whoever says nothing sensible within half a second is hung up on."""
    with connection, suppress(OSError):
        connection.settimeout(_PATIENCE_S)
        head = b""
        while b"\r\n\r\n" not in head and len(head) < _LARGEST_HEAD:
            piece = connection.recv(_LARGEST_HEAD)
            if not piece:
                return
            head += piece
        connection.sendall(_FOUND if head.startswith((b"GET /health ", b"GET /health?")) else _NOT_FOUND)


def bury(_number: int, _frame: FrameType | None) -> None:
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def leave(_number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(0)


def main() -> int:
    signal.signal(signal.SIGCHLD, bury)
    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)
    with socket.create_server(("", int(os.environ.get("PORT", PORT))), backlog=64) as server:
        print(f"ready: http {server.getsockname()[1]}", flush=True)
        while True:
            answer(server.accept()[0])


if __name__ == "__main__":
    raise SystemExit(main())
