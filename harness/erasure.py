"""The target of `erase`: what is destroyed by mistake."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from harness.rundir import Json
from topology.document import Fields, Value

#: Instead of `{company: number}`.
ALL: Final = "all"
_EXPECTED: Final = "{answers: {company: number}}, {answers: all}, {table: name} or {archive: node}"
_TABLE: Final = re.compile(r"[a-z_][a-z0-9_]*")


@dataclass(frozen=True)
class Erasure:
    """The answers of a company or of all, a table, or what a node keeps. One of them."""

    company: int | None = None
    everybody: bool = False
    table: str | None = None
    archive: str | None = None

    def data(self) -> Mapping[str, Json]:
        if self.company is not None:
            return {"answers": {"company": self.company}}
        if self.everybody:
            return {"answers": ALL}
        return {"table": self.table} if self.table is not None else {"archive": self.archive}

    def __str__(self) -> str:
        if self.company is not None:
            return f"the answers of company {self.company}"
        if self.everybody:
            return "everybody's answers"
        return f"table {self.table}" if self.table is not None else f"the archive of {self.archive}"


def read(value: Value) -> Erasure:
    """As it was written. Raises BadInput."""
    fields = value.as_fields(_EXPECTED)
    fields.only("answers", "table", "archive")
    if len(fields.values) != 1:
        raise fields.bad(_EXPECTED)
    if "answers" in fields:
        return _answers(fields.need("answers", "whose"))
    if "table" in fields:
        table = fields.need("table", "a table")
        if not _TABLE.fullmatch(table.as_text("a table")):
            raise table.bad("a table's name: small letters, digits and underscores")
        return Erasure(table=table.as_text())
    return Erasure(archive=fields.need("archive", "a node").as_text("a node"))


def _answers(whose: Value) -> Erasure:
    if not isinstance(whose, Fields):
        whose.as_word([ALL])
        return Erasure(everybody=True)
    whose.only("company")
    return Erasure(company=whose.need("company", "the company's number").as_whole("a company", least=1))
