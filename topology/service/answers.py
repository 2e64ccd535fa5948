"""Answers: what a person says, and where it is kept.

The link's token names one row, there since the broadcast; an answer changes that row in one statement, so sending the
same answer again changes nothing more. A form says which version of the answer it was filled in on, so one that got
stuck on its way, however long, cannot undo an answer that came after it. What `record` returns is durable in every zone
in service.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import asyncpg

from topology.service.database import Database

STATUSES: Final = ("safe", "slight", "help")
COMES: Final = ("yes", "no")
LONGEST_COMMENT: Final = 200
_TOKEN: Final = re.compile("[0-9a-f]{32}")
_VERSION: Final = re.compile("[0-9]{1,9}")

_FIND: Final = """
    SELECT a.status, a.come, a.comment, a.version, p.name AS person, c.name AS company, b.standing
    FROM answers a JOIN people p USING (person) JOIN companies c ON c.company = a.company
    JOIN broadcasts b USING (broadcast)
    WHERE a.token = $1
"""
# The same answer again is written again: only then has it reached every zone, whatever became of the first one.
_SAME: Final = "(a.status, a.come, a.comment) IS NOT DISTINCT FROM ($2, $3, $4)"
_RECORD: Final = f"""
    UPDATE answers a SET status = $2, come = $3, comment = $4,
        version = a.version + CASE WHEN {_SAME} THEN 0 ELSE 1 END,
        answered_at_ns = CASE WHEN {_SAME} THEN a.answered_at_ns ELSE $6 END,
        answered_at = CASE WHEN {_SAME} THEN a.answered_at ELSE now() END
    FROM people p, companies c, broadcasts b
    WHERE a.token = $1 AND (a.version = $5 OR {_SAME})
        AND p.person = a.person AND c.company = a.company AND b.broadcast = a.broadcast
    RETURNING a.status, a.come, a.comment, a.version, p.name AS person, c.name AS company, b.standing
"""  # noqa: S608


class BadForm(Exception):
    """`problems`: the names of the fields that are missing or wrong."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__(", ".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Answer:
    status: str
    come: str
    comment: str


@dataclass(frozen=True)
class Sheet:
    """What a personal link shows. `answer` is None until there is one; `version` is how often it was set."""

    person: str
    company: str
    standing: bool
    answer: Answer | None
    version: int


class OutOfDate(Exception):
    """Since the form was given out, another answer was kept: the one on `sheet`."""

    def __init__(self, sheet: Sheet) -> None:
        super().__init__(f"version {sheet.version} is kept")
        self.sheet = sheet


def read_version(form: Mapping[str, str]) -> int:
    """Of the answer that was on the page with the form: 0, for none, where it does not say. Raises BadForm."""
    said = form.get("version", "0")
    if not _VERSION.fullmatch(said):
        raise BadForm(("form",))
    return int(said)


def read_form(form: Mapping[str, str]) -> Answer:
    """Raises BadForm. Fields that the form does not have are ignored."""
    answer = Answer(
        form.get("status", ""), form.get("come", ""), form.get("comment", "").replace("\r\n", "\n").strip()
    )
    problems = []
    if answer.status not in STATUSES:
        problems.append("status")
    if answer.come not in COMES:
        problems.append("come")
    if len(answer.comment) > LONGEST_COMMENT or "\0" in answer.comment:
        problems.append("comment")
    if problems:
        raise BadForm(tuple(problems))
    return answer


async def find(database: Database, token: str) -> Sheet | None:
    """What the link shows; None if there is no such link. Raises Unavailable."""
    if not _TOKEN.fullmatch(token):
        return None
    rows = await database.read(_FIND, token)
    return _sheet(rows[0]) if rows else None


async def record(database: Database, token: str, answer: Answer, version: int) -> Sheet | None:
    """Keep the answer; None if there is no such link.

    `version`: of the answer that this one replaces. The same answer again is kept whatever it replaces; its time stays
    that of its first arrival. Raises OutOfDate: it is not kept, and never will be. Raises Unavailable: then it may or
    may not have been kept.
    """
    if not _TOKEN.fullmatch(token):
        return None
    come = answer.come == "yes"
    given = (token, answer.status, come, answer.comment, version, time.monotonic_ns())
    rows = await database.write(_RECORD, *given, again=True)
    if rows:
        return _sheet(rows[0])
    sheet = await find(database, token)
    if sheet is not None:
        raise OutOfDate(sheet)
    return None


def _sheet(row: asyncpg.Record) -> Sheet:
    answer = None
    if row["status"] is not None:
        answer = Answer(row["status"], "yes" if row["come"] else "no", row["comment"])
    return Sheet(row["person"], row["company"], row["standing"], answer, row["version"])
