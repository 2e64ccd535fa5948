"""Looking users up in the authentication database: any of its nodes will do."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

import asyncpg

from topology.world.hosting.authentication import connect

#: A node that has not answered by then, in real seconds, is passed over.
ANSWERS_WITHIN_S: Final = 0.5
_QUESTION: Final = "SELECT address, mailbox FROM users WHERE address = ANY($1::text[])"


class NoAnswer(Exception):
    """No node of the authentication database answered: why not, node by node."""


class Lookup:
    """`nodes` are asked in turn, the one that answered last before all others."""

    def __init__(self, nodes: Sequence[tuple[str, int]], password: str) -> None:
        self._nodes, self._password = list(nodes), password
        self._connections: dict[tuple[str, int], asyncpg.Connection] = {}

    async def mailboxes(self, addresses: Sequence[str]) -> Mapping[str, str]:
        """The mailbox server of each address that is a user's; nothing for the others. Raises NoAnswer."""
        why = []
        for node in list(self._nodes):
            try:
                async with asyncio.timeout(ANSWERS_WITHIN_S):
                    connection = await self._connection(node)
                    rows = await connection.fetch(_QUESTION, list(addresses))
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                why.append(f"{node[0]}: {str(error) or type(error).__name__}")
                self._drop(node)
                continue
            self._nodes.sort(key=lambda each: each != node)
            return {row["address"]: row["mailbox"] for row in rows}
        raise NoAnswer("; ".join(why))

    async def close(self) -> None:
        for node in list(self._connections):
            self._drop(node)

    async def _connection(self, node: tuple[str, int]) -> asyncpg.Connection:
        connection = self._connections.get(node)
        if connection is None or connection.is_closed():
            connection = await connect(*node, self._password, ANSWERS_WITHIN_S)
            self._connections[node] = connection
        return connection

    def _drop(self, node: tuple[str, int]) -> None:
        """Cut, not closed: a farewell would itself wait for a node that may be gone."""
        connection = self._connections.pop(node, None)
        if connection is not None:
            connection.terminate()
