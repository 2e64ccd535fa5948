"""`erase`: what a person or an update does by mistake. Nothing takes it back; a runbook brings back what was lost."""

from __future__ import annotations

import time
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
WITHIN_S: Final = 10.0
AGAIN_AFTER_S: Final = 0.1
#: Everything in the folder ($0) goes out of it at once, so that nothing new is taken with it, and is then removed.
_WIPE: Final = """
mkdir -p "$0/.erased" && find "$0" -mindepth 1 -maxdepth 1 ! -name .erased -exec mv -t "$0/.erased" {} + ;
rm -rf "$0/.erased"
"""
_WHOSE: Final = "FROM answers WHERE company = %(company)s::integer OR %(company)s::integer IS NULL"
_T = TypeVar("_T")


class NoSuchTable(OSError):
    """The database has no table of that name (any more)."""


@dataclass
class EraseAnswers:
    """An operator, or an update, deletes every answer of a company (None: of all), through SQL at the primary."""

    primary: Node
    company: int | None = None
    _there: int = field(default=0, init=False)

    @property
    def nodes(self) -> Sequence[Node]:
        return [self.primary]

    @property
    def undoing(self) -> dict[str, Json]:
        return _nothing("the answers" if self.company is None else f"the answers of company {self.company}")

    def inject(self, stage: Stage) -> None:
        def erase(connection: psycopg.Connection[Any]) -> int:
            return connection.execute(f"DELETE {_WHOSE}", {"company": self.company}).rowcount

        self._there = _at(stage, self.primary, erase)

    def verify(self, stage: Stage) -> Effect:
        def left(connection: psycopg.Connection[Any]) -> int:
            rows = connection.execute(f"SELECT count(*) {_WHOSE}", {"company": self.company}).fetchall()
            return int(rows[0][0])

        rows = _at(stage, self.primary, left)
        whose = "everybody" if self.company is None else f"company {self.company}"
        told = f"{whose} had {self._there} rows of answers and has {rows}"
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
        except NoSuchTable as error:
            return Effect(True, str(error))
        return Effect(False, f"table {self.table} can be read")


@dataclass
class EraseArchive:
    """All that a node keeps on its volumes goes. What it puts there afterwards is new."""

    node: Node
    _there: frozenset[str] = field(default=frozenset(), init=False)
    _said: list[str] = field(default_factory=list, init=False)

    @property
    def nodes(self) -> Sequence[Node]:
        return [self.node]

    @property
    def undoing(self) -> dict[str, Json]:
        return _nothing(f"what {self.node.name} had kept")

    def inject(self, stage: Stage) -> None:
        """Again and again until nothing is left of what was there. Raises NodeFailed where that does not come about."""
        self._there = self._files(stage)
        until_s = time.monotonic() + WITHIN_S
        while self._wipe(stage) or self._left(stage):
            if time.monotonic() > until_s:
                told = f"{len(self._left(stage))} of {len(self._there)} files cannot be erased"
                raise NodeFailed(self.node.name, told, self._said)
            time.sleep(AGAIN_AFTER_S)

    def verify(self, stage: Stage) -> Effect:
        left = self._left(stage)
        told = f"{self.node.name} had {len(self._there)} files, {len(left)} of them are left"
        return Effect(bool(self._there) and not left, told)

    def _wipe(self, stage: Stage) -> bool:
        """Whether there was trouble with it: the node may write into a folder while that is removed."""
        done = [
            stage.runtime.exec(self.node, ["sh", "-c", _WIPE, volume.target], WITHIN_S)
            for volume in self.node.volumes
        ]
        self._said = [line for each in done for line in each.stderr.decode(errors="replace").splitlines()]
        return any(each.status != 0 for each in done)

    def _left(self, stage: Stage) -> frozenset[str]:
        """By what each was, so that one that was only moved counts."""
        return self._there & self._files(stage)

    def _files(self, stage: Stage) -> frozenset[str]:
        """Each as its number on the disk and its last change: a new one of the same name is another."""
        folders = [volume.target for volume in self.node.volumes]
        find = ["find", *folders, "-type", "f", "-printf", r"%i %T@\n"]
        done = stage.runtime.exec(self.node, find, WITHIN_S)
        said = done.stderr.decode(errors="replace")
        # What the node removed at the same moment is gone all the same.
        if done.status != 0 and any("No such file" not in line for line in said.splitlines()):
            raise NodeFailed(self.node.name, f"its files cannot be listed: {said[-300:]}")
        return frozenset(done.stdout.decode().splitlines())


def _nothing(what: str) -> dict[str, Json]:
    return {"verb": None, "why": f"nothing takes it back: {what} can only be restored from a backup"}


def _at(stage: Stage, primary: Node, work: Callable[[psycopg.Connection[Any]], _T]) -> _T:
    """In one transaction, from where the observers stand. Raises OSError; NoSuchTable where that is why."""
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
    except psycopg.errors.UndefinedTable as error:
        raise NoSuchTable(f"{primary.name}: {str(error).splitlines()[0]}") from None
    except psycopg.Error as error:
        raise OSError(f"{primary.name}: {' '.join(str(error).split())}") from None
