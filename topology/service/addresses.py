"""Mail addresses at rest: sealed, each for one person, so that neither a backup nor a log nor a swap gives one away."""

from __future__ import annotations

import base64
import binascii
import os
import re
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
#: What is safe to put into a mail's header. The world's mail systems may be stricter.
_SAFE: Final = re.compile(r"[^\s@<>,;:\"\\]{1,64}@[A-Za-z0-9.-]{1,253}")


class Unreadable(Exception):
    """The sealed address is not this person's, was not sealed with this key, or was changed."""


class AddressBook:
    """Seals and opens addresses with AES-256-GCM. A sealed address is the nonce and then the ciphertext."""

    def __init__(self, key: str) -> None:
        """`key`: 32 bytes in base64. Raises SystemExit for anything else."""
        try:
            raw = base64.b64decode(key, validate=True)
        except binascii.Error:
            raw = b""
        if len(raw) != KEY_BYTES:
            raise SystemExit(f"ADDRESS_KEY is not {KEY_BYTES} bytes in base64")
        self._cipher = AESGCM(raw)

    def seal(self, person: int, address: str) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, address.encode(), _owner(person))

    def open(self, person: int, sealed: bytes) -> str:
        """Raises Unreadable."""
        try:
            return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], _owner(person)).decode()
        except (InvalidTag, ValueError):
            raise Unreadable(f"the address of person {person} cannot be opened") from None


def is_address(text: str) -> bool:
    """Whether mail can be sent there at all."""
    return _SAFE.fullmatch(text) is not None


def _owner(person: int) -> bytes:
    return f"person {person}".encode()
