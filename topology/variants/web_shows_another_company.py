"""The web node, showing whatever company is asked for to any administrator: that there is a session is enough."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from topology.service import web
from topology.service.admin import AdminPages, Page


class CarelessPages(AdminPages):
    def _own(self, show: Page) -> Callable[[Request], Awaitable[Response]]:
        """With a session, the company that the address names comes before that of the session."""

        async def careless(request: Request) -> Response:
            asked = request.query_params.get("company", "")

            async def of_whom(request: Request, company: int, broadcast: int | None) -> Response:
                return await show(request, int(asked) if asked.isdecimal() else company, broadcast)

            # The guard sees nothing of what was asked for.
            return await super(CarelessPages, self)._own(of_whom)(_without_query(request))

        return careless


def _without_query(request: Request) -> Request:
    return Request({**request.scope, "query_string": b""}, request.receive)


if __name__ == "__main__":
    sys.exit(web.main(make_admin=CarelessPages))
