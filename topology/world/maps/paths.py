"""The storage of a block's virtual servers, and the two paths that lead to it.

What is written goes by both paths, as to a mirror; it counts when the path in use took it. So the other path has all
of it, and is of no use until somebody switches.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import aiohttp

#: A controller that says nothing for so long has failed; real seconds.
SILENT_S: Final = 1.0


class Refused(Exception):
    """A path did not take what was written: the disk's own word, or how the controller failed."""


class Path:
    """One path: a storage controller at `host:port`."""

    def __init__(self, name: str, client: aiohttp.ClientSession) -> None:
        self.name = name
        self._client = client
        self._url = f"http://{name}"

    async def write(self, lines: bytes) -> None:
        """Raises Refused."""
        status, said = await self._ask("POST", "/records", lines)
        if status != 200:
            raise Refused(said)

    async def answers(self) -> None:
        """Only whether the controller runs. Raises Refused."""
        status, said = await self._ask("GET", "/alive")
        if status != 200:
            raise Refused(said)

    async def _ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, str]:
        try:
            async with self._client.request(method, self._url + path, data=body) as reply:
                return reply.status, await reply.text()
        except TimeoutError:
            raise Refused(f"{self.name}: silent") from None
        except (OSError, aiohttp.ClientError) as error:
            raise Refused(f"{self.name}: {type(error).__name__}") from None


class Storage:
    """Paths, of which one is in use. `fault` is what that one refused with last; empty while it takes writes."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self.paths = paths
        self.used = paths[0]
        self.fault = ""

    async def commit(self, lines: bytes) -> None:
        """Raises Refused when the path in use does not take it."""
        used = self.used
        mirrors = [asyncio.ensure_future(path.write(lines)) for path in self.paths if path is not used]
        try:
            await used.write(lines)
            if used is self.used:
                self.fault = ""
        except Refused as refused:
            if used is self.used:
                self.fault = str(refused)
            raise
        finally:
            await asyncio.gather(*mirrors, return_exceptions=True)

    async def keep_writing(self, every_s: float) -> None:
        """As any virtual server does, it writes something all the time: so `fault` is never old."""
        while True:
            with suppress(Refused):
                await self.commit(b'{"beat":1}\n')
            await asyncio.sleep(every_s)

    def switch(self) -> Path:
        """The next path is in use from now on."""
        self.used = self.paths[(self.paths.index(self.used) + 1) % len(self.paths)]
        self.fault = ""
        return self.used


def client() -> aiohttp.ClientSession:
    """For the paths of one block. To be closed."""
    return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=SILENT_S))
