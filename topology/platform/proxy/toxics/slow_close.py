"""slow_close: the connection lingers on after one side has closed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from topology.platform.proxy.toxics.toxic import Int64, Stub


@dataclass(frozen=True)
class SlowClose:
    """Closes `delay` milliseconds late."""

    delay: Int64 = 0

    GO_NAME: ClassVar[str] = "SlowCloseToxic"

    async def pipe(self, stub: Stub) -> None:
        while (chunk := await stub.read()) is not None:
            stub.write(chunk)
        await stub.sleep(self.delay / 1000)
