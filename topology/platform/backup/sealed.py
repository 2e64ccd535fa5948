"""Sealing: nothing gets to the disk but sealed with age, and either whole or not at all."""

from __future__ import annotations

import io
import zlib
from pathlib import Path
from typing import IO, Final

import pyrage

from topology.platform import durable

#: Fast: half of the log's bytes are pages that compress well, and a better level costs ten times as much.
_LEVEL: Final = 1
SUFFIX: Final = ".age"


class Unreadable(Exception):
    """A file that the key does not open, or that was changed or cut short."""


class Key:
    """An age identity (`AGE-SECRET-KEY-1…`). Raises SystemExit, without saying it, for text that is none."""

    def __init__(self, text: str) -> None:
        try:
            self._identity = pyrage.x25519.Identity.from_str(text.strip())
        except pyrage.IdentityError:
            raise SystemExit("BACKUP_KEY is no age identity (AGE-SECRET-KEY-1…)") from None
        self._recipient = self._identity.to_public()

    def seal(self, source: IO[bytes], target: Path) -> int:
        """Write all of `source` to `target`, sealed, on disk when it returns. The size of what was written."""
        with durable.replacing(target) as file:
            pyrage.encrypt_io(source, file, [self._recipient])
            return file.tell()

    def seal_bytes(self, data: bytes, target: Path) -> int:
        """The same for what is in memory; compressed before it is sealed."""
        return self.seal(io.BytesIO(zlib.compress(data, _LEVEL)), target)

    def open(self, source: Path, target: IO[bytes]) -> None:
        """Raises Unreadable; FileNotFoundError where there is no such file."""
        with source.open("rb") as file:
            try:
                pyrage.decrypt_io(file, target, [self._identity])
            except (pyrage.DecryptError, ValueError, OSError) as error:
                raise Unreadable(f"{source.name}: {error}") from None

    def open_bytes(self, source: Path) -> bytes:
        """What `seal_bytes` sealed. Raises Unreadable, FileNotFoundError."""
        opened = io.BytesIO()
        self.open(source, opened)
        try:
            return zlib.decompress(opened.getvalue())
        except zlib.error as error:
            raise Unreadable(f"{source.name}: {error}") from None
