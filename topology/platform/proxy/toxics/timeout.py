"""timeout: silence, and then the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from topology.platform.proxy.toxics.toxic import Int64, Stub


@dataclass(frozen=True)
class Timeout:
    """Drops everything; closes when nothing has come for `timeout` milliseconds. 0 never closes."""

    timeout: Int64 = 0

    GO_NAME: ClassVar[str] = "TimeoutToxic"

    async def pipe(self, stub: Stub) -> None:
        within_s = self.timeout / 1000 if self.timeout > 0 else None
        try:
            while await stub.read(within_s) is not None:
                pass
        except TimeoutError:
            pass  # returning closes

    def clean_up(self, stub: Stub) -> None:
        """Bytes are missing by now: the connection must not go on as if it were whole."""
        stub.close()
