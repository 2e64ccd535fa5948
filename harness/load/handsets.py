"""Handsets: they hear their carrier's notices while its stream lasts, and call again when it breaks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Final

import gevent
import gevent.socket
import orjson

from harness.load import http1
from harness.load.http1 import MalformedError, Reader

#: A living stream sends an empty line every second; after this long without one it is dead, in seconds.
SILENCE_S: Final = 3.0
_CALL_AGAIN_S: Final = 0.5
_PIECE: Final = 262_144


def listen(mail: tuple[str, int], show: Callable[[str, str, str, int], None]) -> None:
    """Call `show(address, id, text, at_ns)` for each notice of a mail node, at this host and port, until killed."""
    after = 0
    while True:
        try:
            for line in _lines(mail, after):
                at_ns = time.monotonic_ns()
                notice = orjson.loads(line)
                after = max(after, notice["seq"])
                show(notice["to"], notice["id"], notice["text"], at_ns)
        except (OSError, EOFError, ValueError, KeyError, MalformedError):
            gevent.sleep(_CALL_AGAIN_S)  # the pause between two calls of a handset that lost its carrier


def _lines(mail: tuple[str, int], after: int) -> Iterator[bytes]:
    """The lines that are not empty. Raises OSError (also for silence) or EOFError when the stream breaks."""
    with gevent.socket.create_connection(mail, timeout=SILENCE_S) as wire:
        wire.sendall(http1.get(f"/notices?after={after}", mail[0]))
        reader, rest = Reader(), b""
        while True:
            piece = wire.recv(_PIECE)
            if not piece:
                raise EOFError
            reader.feed(piece)
            if reader.status not in (0, 200):
                raise EOFError
            *lines, rest = (rest + reader.take()).split(b"\n")
            yield from (line for line in lines if line)
