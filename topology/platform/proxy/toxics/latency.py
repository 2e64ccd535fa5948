"""latency: everything arrives later, in order."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import ClassVar

from topology.platform.proxy.toxics.toxic import Chunk, Int64, Stub


@dataclass(frozen=True)
class Latency:
    """`latency` milliseconds, plus or minus up to `jitter`. A close is not delayed beyond the bytes before it."""

    latency: Int64 = 0
    jitter: Int64 = 0

    GO_NAME: ClassVar[str] = "LatencyToxic"
    # What is under way must not slow down the sender. As much as upstream holds: 1024 reads of 32 KiB.
    BUFFER_BYTES: ClassVar[int] = 1024 * 32 * 1024

    async def pipe(self, stub: Stub) -> None:
        while (chunk := await stub.read()) is not None:
            arrives_s = chunk.at_s + self._delay_s(stub.random)
            await stub.sleep_until(arrives_s)
            stub.write(Chunk(chunk.data, arrives_s))

    def _delay_s(self, random: Random) -> float:
        delay_ms = self.latency
        if self.jitter > 0:
            delay_ms += random.randrange(2 * self.jitter) - self.jitter
        return max(0, delay_ms) / 1000
