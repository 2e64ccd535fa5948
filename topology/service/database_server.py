"""One database server, as it looks from this node."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from enum import Enum
from typing import Any, Final

from topology.service.pool import Connection, Pool, connect
from topology.service.settings import Address

#: A server that does not say its role within this is taken for gone.
PROBE_WITHIN_S: Final = 2.0


class Role(Enum):
    PRIMARY = "primary"
    STANDBY = "standby"
    GONE = "gone"


class DatabaseServer:
    """Its role when last asked, and pools of connections: reads do not wait behind writes that are stuck."""

    def __init__(self, address: Address, login: Mapping[str, Any], connections: int) -> None:
        self.address = address
        self.reads = Pool(address, login, connections)
        self.writes = Pool(address, login, connections)
        self.role = Role.GONE
        #: When the question was sent that `role` answers, on the event loop's clock.
        self.asked_s = float("-inf")
        self.why = "not asked yet"
        #: Set when the role should be asked for now, not when it is next due.
        self.doubted = asyncio.Event()
        self._login = login
        self._probe: Connection | None = None

    @property
    def name(self) -> str:
        return self.address.host

    async def look(self) -> None:
        """Ask the server for its role. A server that does not answer loses its connections here and now."""
        loop = asyncio.get_running_loop()
        asked_s = loop.time()
        try:
            self.role = await self._ask(asked_s + PROBE_WITHIN_S)
            self.asked_s, self.why = asked_s, ""
        except Exception as error:  # whatever it is: who cannot say what they are is not used
            late = loop.time() >= asked_s + PROBE_WITHIN_S
            self.lost(
                f"no answer within {PROBE_WITHIN_S:g} s" if late else str(error) or type(error).__name__
            )

    def lost(self, why: str) -> None:
        """Believe the server gone until it says otherwise."""
        self.role, self.why = Role.GONE, why
        self.reads.cut()
        self.writes.cut()
        self._end_probe()

    def age_s(self) -> float:
        """Seconds since the role was asked for."""
        return asyncio.get_running_loop().time() - self.asked_s

    async def _ask(self, deadline_s: float) -> Role:
        if self._probe is None or self._probe.is_closed():
            self._probe = await connect(self.address, self._login)
        probe = self._probe
        # Cut, not cancelled: a cancellation would itself wait for a server that may be gone.
        cutting = asyncio.get_running_loop().call_at(deadline_s, probe.terminate)
        try:
            recovering = await probe.fetchval("SELECT pg_is_in_recovery()")
        finally:
            cutting.cancel()
        return Role.STANDBY if recovering else Role.PRIMARY

    def _end_probe(self) -> None:
        if self._probe is not None:
            self._probe.terminate()
            self._probe = None
