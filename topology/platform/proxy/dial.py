"""Opening connections to the servers behind the proxies."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import Final, TypeAlias

from topology.platform.proxy import address

#: How long a looked-up name is good for: as long as Go's resolver trusts what it read in /etc/hosts.
_TRUST_S: Final = 5.0

_Targets: TypeAlias = tuple[address.Address, ...]


class Dialler:
    """Dials addresses, and remembers for a short time what their names resolve to.

    There is no time-out but the kernel's, as upstream has none.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._known: dict[str, tuple[float, _Targets]] = {}

    async def dial(self, text: str, protocol: Callable[[], asyncio.BaseProtocol]) -> None:
        """Connect a protocol to the first of the addresses that answers. Raises OSError saying why none does."""
        known = self._known.get(text)
        targets = known[1] if known is not None and monotonic() < known[0] else await self._look_up(text)
        failure: OSError | None = None
        for target in targets:
            try:
                await self._loop.create_connection(protocol, target.host, target.port)
            except OSError as error:
                failure = error
            else:
                return
        raise failure or address.AddressError(f"lookup {text}: no such host")

    async def _look_up(self, text: str) -> _Targets:
        host, port = address.split(text)
        targets = await address.lookup(host or "localhost", address.port_number(port))
        self._known[text] = (monotonic() + _TRUST_S, targets)
        return targets
