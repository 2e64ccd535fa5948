"""A backup node whose archive loses every second segment of the log and every tenth piece, and says nothing of it.

What is lost is found by whoever restores, or counts. Everything else is the node as it is.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from topology.platform.backup.archive import Archive
from topology.platform.backup.node import main
from topology.platform.backup.sealed import Key

SEGMENTS: Final = 2
PIECES: Final = 10


class LosingArchive(Archive):
    """Takes for archived what it then has not."""

    def __init__(self, folder: Path, key: Key, size: int) -> None:
        super().__init__(folder, key, size)
        self._segments_added = self._pieces_added = 0

    def add_whole(self, name: str, data: bytes) -> None:
        super().add_whole(name, data)
        self._segments_added += 1
        if self._segments_added % SEGMENTS == 0:
            (self.folder / f"{name}.age").unlink()

    def add_piece(self, name: str, begin: int, data: bytes) -> None:
        self._pieces_added += 1
        if self._pieces_added % PIECES:
            super().add_piece(name, begin, data)


if __name__ == "__main__":
    sys.exit(main(LosingArchive))
