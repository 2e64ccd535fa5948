"""Opening connections to the servers behind the proxies."""

from __future__ import annotations

import asyncio
import os
import socket
from errno import EALREADY, EINPROGRESS
from time import monotonic
from typing import Final, TypeAlias

from topology.platform.proxy import address

#: How long a looked-up name is good for: as long as Go's resolver trusts what it read in /etc/hosts.
_TRUST_S: Final = 5.0

_Targets: TypeAlias = list[tuple[socket.AddressFamily, tuple[str, int]]]


class Dialler:
    """Dials addresses, and remembers for a short time what their names resolve to.

    There is no time-out but the kernel's, as upstream has none.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._known: dict[str, tuple[float, _Targets]] = {}

    async def dial(self, text: str) -> socket.socket:
        """A connected, non-blocking socket. Raises OSError saying why there is none."""
        known = self._known.get(text)
        targets = known[1] if known is not None and monotonic() < known[0] else await self._look_up(text)
        failure: OSError = address.AddressError(f"lookup {text}: no such host")
        for family, name in targets:
            sock = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
            try:
                await self._connect(sock, name)
            except BaseException as error:
                sock.close()
                if not isinstance(error, OSError):
                    raise
                failure = error
            else:
                return sock
        raise failure

    async def _look_up(self, text: str) -> _Targets:
        host, port = address.split(text)
        targets = await address.lookup(host or "localhost", address.port_number(port))
        self._known[text] = (monotonic() + _TRUST_S, targets)
        return targets

    async def _connect(self, sock: socket.socket, name: tuple[str, int]) -> None:
        address.keep_alive(sock)
        error = sock.connect_ex(name)
        if error == EINPROGRESS:
            error = sock.connect_ex(
                name
            )  # to a near server it has succeeded by now: no turn of the loop needed
        if error in (EINPROGRESS, EALREADY):
            await self._loop.sock_connect(sock, name)
        elif error:
            raise OSError(error, os.strerror(error))
