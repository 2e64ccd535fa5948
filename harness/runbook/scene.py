"""What commands and proofs work with: the nodes, how they are asked, and where what they learn is written down."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import psycopg

from harness.faults import Stage
from harness.faults.asking import PATIENCE_S, Reply, ask
from harness.faults.looking import connect
from harness.load.access import HTTP_PORT
from harness.rundir import Json, RunDir
from harness.runtime import NodeFailed
from harness.toxiproxy import ToxiproxyError
from topology.map import Node

DATABASE_PORT: Final = 5432
EXEC_WITHIN_S: Final = 30.0

#: What asking nodes that are dying, starting or gone can raise. Whoever meets it asks again.
TROUBLE: Final = (OSError, NodeFailed, ToxiproxyError, psycopg.Error, http.client.HTTPException)

T = TypeVar("T")
#: Tells whoever watches over the nodes that these are to be down (False) or up (True) from now on.
Expect = Callable[[Sequence[Node], bool], None]


def nobody_watches(_nodes: Sequence[Node], _up: bool) -> None:
    """Where nobody watches over the nodes."""


class Refused(Exception):
    """A command that must not be carried out as things are: what stands against it. The runbook stops."""


@dataclass(frozen=True)
class Scene:
    """Where a runbook is performed."""

    stage: Stage
    run: RunDir
    expect: Expect = nobody_watches

    # -- nodes -------------------------------------------------------------------------------------------------

    def nodes(self, region: str | None = None, *roles: str) -> tuple[Node, ...]:
        """The nodes of a region (of all, if None) that have one of these roles (any, if none is given)."""
        return tuple(
            node
            for node in self.stage.topology
            if region in (None, node.region) and (not roles or node.role in roles)
        )

    def the(self, role: str) -> Node:
        """The one node of a role outside the regions. Raises NodeFailed if the topology has none."""
        found = self.stage.topology.with_role(role)
        if not found:
            raise NodeFailed(role, "the topology has no such node")
        return found[0]

    # -- asking ------------------------------------------------------------------------------------------------

    def ask(
        self,
        node: Node,
        method: str,
        path: str,
        body: Json = None,
        port: int = HTTP_PORT,
        timeout_s: float = PATIENCE_S,
    ) -> Reply:
        """One request from where the observers stand. Raises OSError or HTTPException, naming the node."""
        return ask(self.stage, node, method, path, body, port, timeout_s)

    def query(self, node: Node, sql: str, database: str = "observer") -> list[tuple[Any, ...]]:
        """Rows of one statement, a transaction of its own, on this very database node. Raises OSError, psycopg.Error.

        PostgreSQL's own client waits two seconds at least for a node that is gone; so it is knocked at first.
        """
        connect(self.stage, self.stage.observer, node, DATABASE_PORT).close()
        with (
            self.stage.runtime.inside(self.stage.observer),
            psycopg.connect(
                host=str(node.address),
                port=DATABASE_PORT,
                user="postgres",
                password=node.environment["DATABASE_PASSWORD"],
                dbname=database,
                connect_timeout=2,
                options=f"-c statement_timeout={PATIENCE_S * 1000:g}",
                application_name="runbook",
                autocommit=True,
                sslmode="disable",
                gssencmode="disable",
            ) as connection,
        ):
            cursor = connection.execute(sql.encode())
            return cursor.fetchall() if cursor.description else []

    def program(self, node: Node, argv: Sequence[str], within_s: float = EXEC_WITHIN_S) -> bytes:
        """What a program of the node prints. Raises NodeFailed if it does not end well, TimeoutError if it is late."""
        done = self.stage.runtime.exec(node, argv, within_s)
        if done.status != 0:
            said = done.stderr.decode(errors="replace").splitlines()[-3:]
            raise NodeFailed(node.name, f"{' '.join(argv[2:] or argv)} ended with {done.status}", said)
        return done.stdout


def at_once(work: Callable[[Node], T], nodes: Sequence[Node]) -> list[T]:
    """The same for several nodes at once, in their order."""
    with ThreadPoolExecutor(max_workers=max(1, len(nodes))) as pool:
        return list(pool.map(work, nodes))


def brief(error: BaseException) -> str:
    """An error in one line."""
    return " ".join(str(error).split())[:300] or type(error).__name__
