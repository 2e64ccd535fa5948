"""bandwidth: a narrow line."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import ClassVar

from topology.platform.proxy.toxics.toxic import Chunk, Int64, Stub

_SLICE_S = 0.1


@dataclass(frozen=True)
class Bandwidth:
    """`rate` in KB/s (1000 bytes a second); 0 or less lets nothing through, as upstream's does."""

    rate: Int64 = 0

    GO_NAME: ClassVar[str] = "BandwidthToxic"

    async def pipe(self, stub: Stub) -> None:
        if self.rate <= 0:
            return await self._block(stub)
        bytes_per_s = self.rate * 1000
        slice_bytes = self.rate * 100
        owed_s = 0.0
        while (chunk := await stub.read()) is not None:
            data = chunk.data
            owed_s += len(data) / bytes_per_s
            while len(data) > slice_bytes:
                await stub.sleep(_SLICE_S)
                stub.write(Chunk(data[:slice_bytes], chunk.at_s))
                data = data[slice_bytes:]
                owed_s -= _SLICE_S
            began_s = monotonic()
            await stub.sleep_until(began_s + owed_s)
            owed_s -= monotonic() - began_s
            stub.write(Chunk(data, chunk.at_s))
        return None

    async def _block(self, stub: Stub) -> None:
        """Hold what has come, so that it goes on when this is taken off, and let nothing more come."""
        while (chunk := await stub.read()) is not None:
            await stub.sleep(float("inf"))
            stub.write(chunk)
