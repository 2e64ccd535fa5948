"""What the API answers when it cannot do as asked."""

from __future__ import annotations

from typing import Final

BAD_BODY: Final = "bad request body"
MISSING_FIELD: Final = "missing required field"


class ApiError(Exception):
    """An answer's `error` text and HTTP status."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


def bad_body(reason: str) -> ApiError:
    return ApiError(f"{BAD_BODY}: {reason}", 400)


def missing_field(name: str) -> ApiError:
    return ApiError(f"{MISSING_FIELD}: {name}", 400)


def proxy_not_found() -> ApiError:
    return ApiError("proxy not found", 404)


def proxy_exists() -> ApiError:
    return ApiError("proxy already exists", 409)


def invalid_stream() -> ApiError:
    return ApiError("stream was invalid, can be either upstream or downstream", 400)


def invalid_toxic_type() -> ApiError:
    return ApiError("invalid toxic type", 400)


def toxic_exists() -> ApiError:
    return ApiError("toxic already exists", 409)


def toxic_not_found() -> ApiError:
    return ApiError("toxic not found", 404)
