"""reset_peer: the connection is torn down rudely."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from topology.platform.proxy.toxics.toxic import Int64, Stub


@dataclass(frozen=True)
class ResetPeer:
    """Drops the first bytes (or takes the close), and resets both ends `timeout` milliseconds after them."""

    timeout: Int64 = 0

    GO_NAME: ClassVar[str] = "ResetToxic"

    async def pipe(self, stub: Stub) -> None:
        await stub.read()
        await stub.sleep(max(0, self.timeout) / 1000)
        stub.reset()
