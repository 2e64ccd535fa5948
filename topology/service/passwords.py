"""Administrators' passwords: argon2, off the event loop, few at a time."""

from __future__ import annotations

import asyncio
import secrets
from functools import cached_property
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from topology.service.settings import Settings

#: How many may be checked at once, so that a crowd at the login does not take the processors from those who answer.
AT_ONCE: Final = 2


class Passwords:
    def __init__(self, settings: Settings) -> None:
        self._hasher = PasswordHasher(
            time_cost=int(settings.get("ARGON2_TIME", "2")),
            memory_cost=int(settings.get("ARGON2_MEMORY_KIB", "19456")),
            parallelism=1,
        )
        self._turn = asyncio.Semaphore(AT_ONCE)

    def hash(self, password: str) -> str:
        return self._hasher.hash(password)

    async def verify(self, stored: str | None, password: str) -> bool:
        """Whether the password is right. For a user who does not exist (None) the answer takes as long."""
        async with self._turn:
            return await asyncio.to_thread(self._verify, stored, password)

    def _verify(self, stored: str | None, password: str) -> bool:
        try:
            return self._hasher.verify(stored or self._nobody, password) and stored is not None
        except (VerificationError, InvalidHashError):
            return False

    @cached_property
    def _nobody(self) -> str:
        return self.hash(secrets.token_hex())
