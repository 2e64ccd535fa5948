"""noop: passes everything on. The API offers it, as upstream's does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from topology.platform.proxy.toxics.toxic import Stub


@dataclass(frozen=True)
class Noop:
    GO_NAME: ClassVar[str] = "NoopToxic"

    async def pipe(self, stub: Stub) -> None:
        while (chunk := await stub.read()) is not None:
            stub.write(chunk)
