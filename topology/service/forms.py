"""What a browser sends when a form is filled in."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request

LARGEST: Final = 8 * 1024
MOST_FIELDS: Final = 20


class Unreadable(Exception):
    """Not a form, too large, or not UTF-8."""


async def read(request: Request) -> dict[str, str]:
    """The fields; of a name that comes twice, the last. Raises Unreadable, before more than `LARGEST` is taken in."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LARGEST:
            raise Unreadable("the form is too large")
    try:
        return dict(
            parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
        )
    except ValueError as error:
        raise Unreadable(str(error)) from None
