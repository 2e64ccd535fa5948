"""Answers: what a person says, and where it is kept.

The link's token names one row, there since the broadcast; an answer changes that row in one statement, so sending the
same answer again changes nothing more. An answer that got stuck on its way, and was given up by whoever sent it, does
not undo one that came after it. What `record` returns is durable in every zone in service.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import asyncpg

from topology.service.database import Database

STATUSES: Final = ("safe", "slight", "help")
COMES: Final = ("yes", "no")
LONGEST_COMMENT: Final = 200
_TOKEN: Final = re.compile("[0-9a-f]{32}")

_FIND: Final = """
    SELECT a.status, a.come, a.comment, p.name AS person, c.name AS company, b.standing
    FROM answers a JOIN people p USING (person) JOIN companies c ON c.company = a.company
    JOIN broadcasts b USING (broadcast)
    WHERE a.token = $1
"""
_RECORD: Final = """
    UPDATE answers a SET status = $2, come = $3, comment = $4, asked_at_ns = $5,
        answered_at_ns = CASE WHEN (a.status, a.come, a.comment) IS NOT DISTINCT FROM ($2, $3, $4)
                         THEN a.answered_at_ns ELSE $5 END,
        answered_at = CASE WHEN (a.status, a.come, a.comment) IS NOT DISTINCT FROM ($2, $3, $4)
                      THEN a.answered_at ELSE now() END
    FROM people p, companies c, broadcasts b
    WHERE a.token = $1 AND a.asked_at_ns <= $5
        AND p.person = a.person AND c.company = a.company AND b.broadcast = a.broadcast
    RETURNING a.status, a.come, a.comment, p.name AS person, c.name AS company, b.standing
"""


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
    """What a personal link shows. `answer` is None until there is one."""

    person: str
    company: str
    standing: bool
    answer: Answer | None


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


async def record(database: Database, token: str, answer: Answer, asked_at_ns: int) -> Sheet | None:
    """Keep the answer; None if there is no such link. Raises Unavailable: then it may or may not have been kept.

    `asked_at_ns`: when the request arrived (monotonic). Of two answers the one that was asked for later counts; the
    sheet shows it. The time of an answer is that of its first arrival.
    """
    if not _TOKEN.fullmatch(token):
        return None
    come = answer.come == "yes"
    given = (token, answer.status, come, answer.comment, asked_at_ns)
    rows = await database.write(_RECORD, *given, again=True)
    return _sheet(rows[0]) if rows else await find(database, token)


def _sheet(row: asyncpg.Record) -> Sheet:
    answer = None
    if row["status"] is not None:
        answer = Answer(row["status"], "yes" if row["come"] else "no", row["comment"])
    return Sheet(row["person"], row["company"], row["standing"], answer)
