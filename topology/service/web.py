"""The web node: personal answer pages and the administrators' pages. It holds no state; there are many."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Final, TypeAlias

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from topology.service import answers, forms, serving
from topology.service.admin import AdminPages, page
from topology.service.answers import Answer, BadForm, OutOfDate, Sheet
from topology.service.database import Database, Unavailable
from topology.service.serving import Program
from topology.service.settings import Settings

log: Final = logging.getLogger("web")

#: Keeps an answer: what `answers.record` promises.
Record: TypeAlias = Callable[[Database, str, Answer, int], Awaitable[Sheet | None]]
#: Makes the administrators' pages.
MakeAdmin: TypeAlias = Callable[[Database, Settings], AdminPages]
RETRY_AFTER_S: Final = "1"
#: How long a request waits for a database. Less than a balancer waits for a page, which then asks another web node; and
#: that is done before people give up, after 4 s.
HELD_S: Final = 1.7
#: How long without a database before a balancer is told to ask elsewhere.
GRACE_S: Final = 3.0
_BLANK: Final = Answer("", "", "")


class AnswerPages:
    def __init__(self, database: Database, record: Record) -> None:
        self._database = database
        self._record = record

    def routes(self) -> list[Route]:
        return [
            Route("/a/{token}", self.show, methods=["GET"]),
            Route("/a/{token}", self.take, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        sheet = await answers.find(self._database, request.path_params["token"])
        if sheet is None:
            return page(request, "message", 404, message="unknown")
        return page(request, "answer", sheet=sheet, given=sheet.answer or _BLANK)

    async def take(self, request: Request) -> Response:
        """Answers 200 only when the answer is durable, 409 when a newer one than the form's stays."""
        token = request.path_params["token"]
        form: dict[str, str] = {}
        try:
            form = await forms.read(request)
            answer, version = answers.read_form(form), answers.read_version(form)
        except forms.Unreadable:
            return await self._ask_again(request, token, form, ("form",))
        except BadForm as bad:
            return await self._ask_again(request, token, form, bad.problems)
        try:
            sheet = await self._record(self._database, token, answer, version)
        except OutOfDate as newer:
            return page(request, "answer", 409, sheet=newer.sheet, given=answer, problems=("newer",))
        if sheet is None:
            return page(request, "message", 404, message="unknown")
        return page(request, "answer", sheet=sheet, given=sheet.answer or answer, kept=True)

    async def _ask_again(
        self, request: Request, token: str, form: dict[str, str], problems: tuple[str, ...]
    ) -> Response:
        """The form as it was filled in, and what is wrong with it."""
        sheet = await answers.find(self._database, token)
        if sheet is None:
            return page(request, "message", 404, message="unknown")
        given = Answer(form.get("status", ""), form.get("come", ""), form.get("comment", ""))
        return page(request, "answer", 400, sheet=sheet, given=given, problems=problems)


class Health:
    """Good also while it stands by: once it may write it serves at once, and nobody has to find that out.

    And for a while after that, as long as what comes is held: a primary that is being replaced is no reason to send
    people away, above all where there is nowhere else.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._good_s = float("-inf")

    def good(self) -> bool:
        now_s = time.monotonic()
        if self._database.readable or self._database.standing_by:
            self._good_s = now_s
        return now_s - self._good_s < GRACE_S


async def unavailable(request: Request, _error: Exception) -> Response:
    response = page(
        request, "message", 503, message="unavailable" if request.method == "POST" else "unreadable"
    )
    response.headers["Retry-After"] = RETRY_AFTER_S
    return response


async def unexpected(request: Request, error: Exception) -> Response:
    log.error("%s failed", request.method, exc_info=error)
    return page(request, "message", 500, message="unavailable" if request.method == "POST" else "unreadable")


@asynccontextmanager
async def opening(
    settings: Settings, record: Record = answers.record, make_admin: MakeAdmin = AdminPages
) -> AsyncIterator[Program]:
    async with Database(settings, held_s=HELD_S) as database:
        health = Health(database)
        routes = [*AnswerPages(database, record).routes(), *make_admin(database, settings).routes()]
        yield Program(
            health.good,
            routes,
            errors={Unavailable: unavailable, Exception: unexpected},
        )


def main(record: Record = answers.record, make_admin: MakeAdmin = AdminPages) -> int:
    return serving.run(partial(opening, record=record, make_admin=make_admin))
