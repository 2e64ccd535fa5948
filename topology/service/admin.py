"""The administrators' pages: log in, and see one's own company."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from topology.service import forms, pages, tally
from topology.service.answers import STATUSES
from topology.service.database import Database
from topology.service.passwords import Passwords
from topology.service.sessions import Sessions
from topology.service.settings import Settings

#: A page of one company: the request, the company of the session, the broadcast that was asked for.
Page: TypeAlias = Callable[[Request, int, int | None], Awaitable[Response]]


class AdminPages:
    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._passwords = Passwords(settings)
        self._sessions = Sessions(settings.get("SESSION_KEY"))

    def routes(self) -> list[Route]:
        return [
            Route("/", self.front),
            Route("/login", self.login_form, methods=["GET"]),
            Route("/login", self.login, methods=["POST"]),
            Route("/admin", self._own(self.tally)),
            Route("/admin/unconfirmed", self._own(self.unconfirmed)),
            Route("/admin/answers.csv", self._own(self.answers_csv)),
        ]

    async def front(self, _: Request) -> Response:
        """Whoever comes without a link from a mail is an administrator."""
        return RedirectResponse("/login", 303)

    async def login_form(self, request: Request) -> Response:
        return page(request, "login", wrong=False)

    async def login(self, request: Request) -> Response:
        try:
            form = await forms.read(request)
            company = int(form.get("company", ""))
        except (forms.Unreadable, ValueError):
            form, company = {}, 0
        stored = await self._stored_password(company, form.get("user", ""))
        if not await self._passwords.verify(stored, form.get("password", "")):
            return page(request, "login", 401, wrong=True)
        response = RedirectResponse("/admin", 303)
        self._sessions.begin(request, response, company)
        return response

    async def tally(self, request: Request, company: int, broadcast: int | None) -> Response:
        name = await tally.company_name(self._database, company)
        counts = await tally.tally(self._database, company, broadcast)
        return page(request, "admin", company=name, tally=counts, statuses=STATUSES)

    async def unconfirmed(self, request: Request, company: int, broadcast: int | None) -> Response:
        people = await tally.unconfirmed(self._database, company, broadcast)
        return page(request, "unconfirmed", people=people)

    async def answers_csv(self, request: Request, company: int, broadcast: int | None) -> Response:
        words = pages.words(_language(request))
        body = await tally.answers_csv(self._database, company, broadcast, words)
        headers = {
            "Content-Disposition": "attachment; filename=answers.csv",
            "Cache-Control": "no-store",
            "Vary": "Accept-Language",
        }
        return Response(body, media_type="text/csv; charset=utf-8", headers=headers)

    def _own(self, show: Page) -> Callable[[Request], Awaitable[Response]]:
        """Only with a session, and only for the company of that session."""

        async def guarded(request: Request) -> Response:
            company = self._sessions.company(request)
            if company is None:
                return RedirectResponse("/login", 303)
            asked = request.query_params
            if asked.get("company", str(company)) != str(company):
                return page(request, "message", 403, message="forbidden")
            broadcast = _number(asked.get("broadcast"))
            if broadcast is not None and not await tally.owns(self._database, company, broadcast):
                return page(request, "message", 403, message="forbidden")
            return await show(request, company, broadcast)

        return guarded

    async def _stored_password(self, company: int, user: str) -> str | None:
        if not 0 < company < 2**31 or "\0" in user:
            return None
        rows = await self._database.read(
            "SELECT password FROM admins WHERE company = $1 AND name = $2", company, user
        )
        return str(rows[0]["password"]) if rows else None


def page(request: Request, name: str, status: int = 200, **values: object) -> Response:
    """A page in the language of whoever asks."""
    return Response(pages.render(name, _language(request), **values), status, headers=pages.HEADERS)


def _language(request: Request) -> str:
    return pages.language_of(request.query_params.get("lang"), request.headers.get("accept-language"))


def _number(text: str | None) -> int | None:
    """0, which is nobody's, for what is not a number."""
    if text is None:
        return None
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
