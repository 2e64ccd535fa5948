"""What the consensus store says of the region's databases: who leads, who is sure to have everything, and whether they
are a copy of another region's.

Patroni keeps its word there: a node is in the synchronous set only while no write is acknowledged without it.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from topology.service.http_client import NoAnswer, Unreached, ask
from topology.service.settings import Address

SCOPE: Final = "/service/anpi/"
ASK_WITHIN_S: Final = 1.0


class NoConsensus(Exception):
    """No majority of the store could be asked."""


@dataclass(frozen=True)
class View:
    """`asked_s`: when the question was sent, on the event loop's clock; the view is at least as new as that.

    `following`: the databases take no writes because another region's do; then none is sure to have everything.
    """

    leader: str | None
    synchronous: frozenset[str]
    asked_s: float
    following: bool = False


class Consensus:
    """Linearizable reads of the store: an answer means that a majority agreed at that moment."""

    def __init__(self, members: tuple[Address, ...]) -> None:
        self._members = members

    @property
    def exists(self) -> bool:
        return bool(self._members)

    async def view(self) -> View:
        """The first member that answers is believed, for it speaks for a majority. Raises NoConsensus."""
        asked_s = asyncio.get_running_loop().time()
        asking = [asyncio.create_task(self._ask(member)) for member in self._members]
        try:
            for answer in asyncio.as_completed(asking):
                try:
                    return read_view(await answer, asked_s)
                except (Unreached, NoAnswer, ValueError):
                    continue
        finally:
            for task in asking:
                task.cancel()
            await asyncio.gather(*asking, return_exceptions=True)
        raise NoConsensus("no member of the consensus store speaks for a majority")

    async def _ask(self, member: Address) -> bytes:
        span = {"key": _encoded(SCOPE + "config"), "range_end": _encoded(SCOPE + "sync\0")}
        answer = await ask(member, "/v3/kv/range", json.dumps(span).encode(), within_s=ASK_WITHIN_S)
        if answer.status != 200:
            raise NoAnswer(f"{member}: status {answer.status}")
        return answer.body


def read_view(body: bytes, asked_s: float) -> View:
    """An answer of etcd's HTTP gateway. Raises ValueError for what is not one."""
    try:
        rows = json.loads(body).get("kvs", [])
        values = {_decoded(row["key"]): _decoded(row.get("value", "")) for row in rows}
        sync = _synchronous(json.loads(values.get(SCOPE + "sync") or "{}"))
        following = bool(json.loads(values.get(SCOPE + "config") or "{}").get("standby_cluster"))
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError("not an answer of the consensus store") from error
    leader = values.get(SCOPE + "leader") or None
    return View(leader, frozenset() if following else sync, asked_s, following)


def _synchronous(sync: Mapping[str, str | None]) -> frozenset[str]:
    names = [sync.get("leader") or "", *(sync.get("sync_standby") or "").split(",")]
    return frozenset(name.strip() for name in names if name.strip())


def _encoded(key: str) -> str:
    return base64.b64encode(key.encode()).decode()


def _decoded(text: str) -> str:
    return base64.b64decode(text, validate=True).decode()
