"""A carrier's notice stream, as the mail probes hear it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import orjson

from harness.load import http1
from harness.load.http1 import MalformedError, Reader

#: A living stream sends an empty line every second; after this long without one it is dead, in seconds.
SILENCE_S: Final = 3.0
_CALL_AGAIN_S: Final = 0.5
_PIECE: Final = 262_144


class Notices:
    """Hears the notices of one mailbox, and calls `hear` with each mail's id."""

    def __init__(self, mail: tuple[str, int], address: str, hear: Callable[[str], None]) -> None:
        self._mail, self._address, self._hear = mail, address, hear
        self._after = 0

    async def listen(self) -> None:
        """Listen until cancelled; call again whenever the stream breaks."""
        while True:
            try:
                await self._stream()
            except (OSError, EOFError, ValueError, KeyError, MalformedError):
                await asyncio.sleep(_CALL_AGAIN_S)  # the pause of a handset that lost its carrier

    async def _stream(self) -> None:
        async with asyncio.timeout(SILENCE_S):
            incoming, outgoing = await asyncio.open_connection(*self._mail)
        try:
            outgoing.write(http1.get(f"/notices?after={self._after}&to={self._address}", self._mail[0]))
            reader, rest = Reader(), b""
            while True:
                async with asyncio.timeout(SILENCE_S):
                    piece = await incoming.read(_PIECE)
                if not piece:
                    raise EOFError
                reader.feed(piece)
                if reader.status not in (0, 200):
                    raise EOFError
                *lines, rest = (rest + reader.take()).split(b"\n")
                self._read(lines)
        finally:
            outgoing.close()

    def _read(self, lines: list[bytes]) -> None:
        for line in lines:
            if line:
                notice = orjson.loads(line)
                self._after = notice["seq"]
                self._hear(notice["id"])
