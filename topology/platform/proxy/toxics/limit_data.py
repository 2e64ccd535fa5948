"""limit_data: the connection ends when so much has passed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from topology.platform.proxy.toxics.toxic import Chunk, Int64, Stub


@dataclass
class Passed:
    """Bytes that have passed on one connection."""

    bytes: int = 0


@dataclass(frozen=True)
class LimitData:
    """Closes after `bytes` bytes, which still arrive."""

    bytes: Int64 = 0

    GO_NAME: ClassVar[str] = "LimitDataToxic"

    def new_state(self) -> Passed:
        return Passed()

    async def pipe(self, stub: Stub) -> None:
        passed = stub.state
        assert isinstance(passed, Passed)
        while (chunk := await stub.read()) is not None:
            data = chunk.data[: max(0, self.bytes - passed.bytes)]
            if data:
                stub.write(Chunk(data, chunk.at_s))
                passed.bytes += len(data)
            if passed.bytes >= self.bytes:
                return
