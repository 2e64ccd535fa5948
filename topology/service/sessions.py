"""Administrators' sessions: a signed cookie that says for which company, so that any web node can read it."""

from __future__ import annotations

from typing import Final

from itsdangerous import BadSignature, URLSafeTimedSerializer
from starlette.requests import Request
from starlette.responses import Response

COOKIE: Final = "anpi_session"
LASTS_S: Final = 12 * 3600


class Sessions:
    def __init__(self, key: str) -> None:
        self._signer = URLSafeTimedSerializer(key, salt="administrator")

    def begin(self, request: Request, response: Response, company: int) -> None:
        """Set the cookie. Plain http is still served for old handsets, so it is marked secure where TLS was used."""
        secure = request.headers.get("x-forwarded-proto", request.url.scheme) == "https"
        response.set_cookie(
            COOKIE, self._signer.dumps(company), max_age=LASTS_S, httponly=True, samesite="lax", secure=secure
        )

    def company(self, request: Request) -> int | None:
        """Whose session this is; None without one, or with one that is forged or over."""
        cookie = request.cookies.get(COOKIE)
        if not cookie:
            return None
        try:
            company = self._signer.loads(cookie, max_age=LASTS_S)
        except BadSignature:
            return None
        return company if isinstance(company, int) else None
