"""slicer: what was sent at once arrives in small pieces."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import ClassVar

from topology.platform.proxy.toxics.toxic import Chunk, Stub


@dataclass(frozen=True)
class Slicer:
    """Pieces of about `average_size` bytes, give or take `size_variation`, each followed by `delay` microseconds."""

    average_size: int = 0
    size_variation: int = 0
    delay: int = 0

    GO_NAME: ClassVar[str] = "SlicerToxic"

    async def pipe(self, stub: Stub) -> None:
        while (chunk := await stub.read()) is not None:
            for start, end in self.slices(len(chunk.data), stub.random):
                stub.write(Chunk(chunk.data[start:end], chunk.at_s))
                await stub.sleep(self.delay / 1e6)

    def slices(self, size: int, random: Random) -> Iterator[tuple[int, int]]:
        """Where to cut: halves of halves, each cut moved at random, until a piece is small enough."""
        largest = max(1, self.average_size + self.size_variation)
        todo = [(0, size)]
        while todo:
            start, end = todo.pop()
            if end - start <= largest:
                yield start, end
                continue
            middle = (start + end) // 2
            if self.size_variation > 0:
                middle += random.randrange(2 * self.size_variation) - self.size_variation + 1
            middle = min(max(middle, start + 1), end - 1)
            todo += [(middle, end), (start, middle)]
