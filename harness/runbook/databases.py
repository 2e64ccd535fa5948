"""Databases as they look from outside: who takes a write, who is a standby, how far each has come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import psycopg

from harness.runbook.scene import TROUBLE, Scene, at_once, brief
from topology.map import Node

DATABASE: Final = "database"
#: A real write in a database of its own: where it is acknowledged, this node takes writes.
_WRITE: Final = (
    "CREATE TABLE IF NOT EXISTS written (id int PRIMARY KEY, at timestamptz NOT NULL)",
    "INSERT INTO written VALUES (1, now()) ON CONFLICT (id) DO UPDATE SET at = excluded.at",
)
_STATE: Final = """
SELECT pg_is_in_recovery(),
       (CASE WHEN pg_is_in_recovery()
             THEN greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())
             ELSE pg_current_wal_lsn() END - '0/0')::bigint,
       (CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
             ELSE pg_current_wal_lsn() END - '0/0')::bigint,
       extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())::float8,
       CASE WHEN pg_is_in_recovery()
            THEN (SELECT received_tli FROM pg_stat_wal_receiver WHERE status = 'streaming')
            ELSE ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int END
"""


@dataclass(frozen=True)
class Written:
    """What a write on one node came to: `taken`, or why not (`refused: …`, `no answer: …`)."""

    node: str
    taken: bool
    why: str

    def __str__(self) -> str:
        return f"{self.node} takes a write" if self.taken else f"{self.node} {self.why}"


@dataclass(frozen=True)
class Progress:
    """How far a database has come, in bytes of log. `standby`: it replays; `behind_s`: since the last commit it has.

    `timeline`: that in which it writes, or from which it is streaming at this moment; None for a standby that is not.
    Bytes of two databases say nothing of each other where one of them wrote on when the other had taken over.
    """

    node: str
    standby: bool
    received: int
    replayed: int
    behind_s: float | None
    timeline: int | None


def try_writes(scene: Scene, nodes: Sequence[Node]) -> list[Written]:
    """A write on each of these nodes, all at once. One that is not answered has not been acknowledged."""
    return at_once(lambda node: _try_write(scene, node), nodes)


def _try_write(scene: Scene, node: Node) -> Written:
    try:
        for statement in _WRITE:
            scene.query(node, statement)
    except psycopg.errors.ReadOnlySqlTransaction:
        return Written(node.name, False, "refuses a write: it is a standby")
    except (psycopg.OperationalError, OSError) as error:
        return Written(node.name, False, f"gives no answer ({brief(error)[-80:]})")
    except TROUBLE as error:
        return Written(node.name, False, f"refuses a write ({brief(error)[:80]})")
    return Written(node.name, True, "")


def progress(scene: Scene, nodes: Sequence[Node]) -> list[Progress]:
    """How far each of these nodes has come; those that give no answer are left out."""
    return [one for one in at_once(lambda node: _progress(scene, node), nodes) if one is not None]


def _progress(scene: Scene, node: Node) -> Progress | None:
    try:
        ((standby, received, replayed, behind_s, timeline),) = scene.query(node, _STATE)
    except TROUBLE:
        return None
    if received is None or replayed is None:
        return None
    return Progress(node.name, bool(standby), int(received), int(replayed), behind_s, timeline)
