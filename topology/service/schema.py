"""The service's tables."""

from __future__ import annotations

from importlib.resources import files

from topology.service.pool import Connection


async def create(connection: Connection) -> None:
    """Make what is missing, in one transaction. Several may do so at once."""
    await connection.execute((files("topology.service") / "schema.sql").read_text(encoding="utf-8"))
