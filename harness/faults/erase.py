"""`erase`: what a person or an update does by mistake. Nothing takes it back; a runbook brings back what was lost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import psycopg

from harness.faults import Effect, Stage
from harness.rundir import Json
from harness.runtime import NodeFailed
from topology.map import Node

#: Where the service keeps its data, and as whom an operator works there.
DATABASE: Final = "anpi"
OPERATOR: Final = "postgres"
ANSWERS: Final = "answers"
WITHIN_S: Final = 10.0
_T = TypeVar("_T")


@dataclass
class EraseAnswers:
    """An operator deletes every answer of a company, through SQL at the primary."""

    primary: Node
    company: int
    _there: int = field(default=0, init=False)

    @property
    def nodes(self) -> Sequence[Node]:
        return [self.primary]

    @property
    def undoing(self) -> dict[str, Json]:
        return _nothing(f"the answers of company {self.company}")

    def inject(self, stage: Stage) -> None:
        def erase(connection: psycopg.Connection[Any]) -> int:
            return connection.execute("DELETE FROM answers WHERE company = %s", [self.company]).rowcount

        self._there = _at(stage, self.primary, erase)

    def verify(self, stage: Stage) -> Effect:
        def left(connection: psycopg.Connection[Any]) -> int:
            query = "SELECT count(*) FROM answers WHERE company = %s"
            return int(connection.execute(query, [self.company]).fetchall()[0][0])

        rows = _at(stage, self.primary, left)
        told = f"company {self.company} had {self._there} rows of answers and has {rows}"
        return Effect(self._there > 0 and rows == 0, told)


@dataclass
class EraseTable:
    """An update drops a table that is in use."""

    primary: Node
    table: str

    @property
    def nodes(self) -> Sequence[Node]:
        return [self.primary]

    @property
    def undoing(self) -> dict[str, Json]:
        return _nothing(f"table {self.table}")

    def inject(self, stage: Stage) -> None:
        _at(stage, self.primary, lambda connection: connection.execute(f'DROP TABLE "{self.table}"'))

    def verify(self, stage: Stage) -> Effect:
        try:
            _at(stage, self.primary, lambda c: c.execute(f'SELECT FROM "{self.table}" LIMIT 1'))
        except psycopg.errors.UndefinedTable as error:
            return Effect(True, str(error).splitlines()[0])
        return Effect(False, f"table {self.table} can be read")


@dataclass
class EraseArchive:
    """All that a node keeps on its volumes goes. What it puts there afterwards is new."""

    node: Node
    _there: frozenset[str] = field(default=frozenset(), init=False)

    @property
    def nodes(self) -> Sequence[Node]:
        return [self.node]

    @property
    def undoing(self) -> dict[str, Json]:
        return _nothing(f"what {self.node.name} had kept")

    def inject(self, stage: Stage) -> None:
        self._there = self._files(stage)
        folders = [volume.target for volume in self.node.volumes]
        _exec(stage, self.node, ["find", *folders, "-mindepth", "1", "-delete"])

    def verify(self, stage: Stage) -> Effect:
        left = self._there & self._files(stage)
        told = f"{self.node.name} had {len(self._there)} files, {len(left)} of them are left"
        return Effect(bool(self._there) and not left, told)

    def _files(self, stage: Stage) -> frozenset[str]:
        """Each with its number on the disk, so that a new one of the same name is told from the old."""
        folders = [volume.target for volume in self.node.volumes]
        listed = _exec(stage, self.node, ["find", *folders, "-type", "f", "-printf", r"%p %i %T@\n"])
        return frozenset(listed.decode().splitlines())


def _nothing(what: str) -> dict[str, Json]:
    return {"verb": None, "why": f"nothing takes it back: {what} can only be restored from a backup"}


def _at(stage: Stage, primary: Node, work: Callable[[psycopg.Connection[Any]], _T]) -> _T:
    """In one transaction, from where the observers stand. Raises OSError, psycopg.errors.UndefinedTable."""
    try:
        with (
            stage.runtime.inside(stage.observer),
            psycopg.connect(
                host=str(primary.address),
                user=OPERATOR,
                password=primary.environment["DATABASE_PASSWORD"],
                dbname=DATABASE,
                sslmode="disable",
                connect_timeout=round(WITHIN_S),
                options=f"-c statement_timeout={round(WITHIN_S * 1000)} -c lock_timeout=5000",
            ) as connection,
        ):
            return work(connection)
    except psycopg.errors.UndefinedTable:
        raise
    except psycopg.Error as error:
        raise OSError(f"{primary.name}: {' '.join(str(error).split())}") from None


def _exec(stage: Stage, node: Node, argv: Sequence[str]) -> bytes:
    done = stage.runtime.exec(node, argv, WITHIN_S)
    if done.status != 0:
        said = done.stderr.decode(errors="replace")
        # What the program was removing at the same moment is gone all the same.
        if any("No such file" not in line for line in said.splitlines()):
            raise NodeFailed(node.name, f"{argv[0]} failed: {said[-300:]}")
    return done.stdout
