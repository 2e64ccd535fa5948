"""The service's tables."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from topology.service.pool import Connection

_MADE: Final = re.compile(r"^CREATE TABLE IF NOT EXISTS (\w+)", re.MULTILINE)


async def create(connection: Connection) -> None:
    """Make what is missing, in one transaction. Several may do so at once."""
    await connection.execute(_text())


def tables() -> list[str]:
    """Their names."""
    return _MADE.findall(_text())


def _text() -> str:
    return (files("topology.service") / "schema.sql").read_text(encoding="utf-8")
