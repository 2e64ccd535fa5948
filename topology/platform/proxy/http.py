"""A small HTTP/1.1 server on h11, which is imported in a tenth of the time of a web framework."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeAlias, cast
from urllib.parse import unquote_to_bytes

import h11

_LOG = logging.getLogger("toxiproxy")
_BROKEN: Final = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n"
    b"400 Bad Request"
)


@dataclass(frozen=True)
class Request:
    """`path` is decoded; `query` is what follows the question mark, undecoded."""

    method: str
    path: str
    query: str
    user_agent: str
    body: bytes


@dataclass(frozen=True)
class Response:
    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


Handler: TypeAlias = Callable[[Request], Awaitable[Response]]


def request_id() -> tuple[str, str]:
    """The header that names a request in answers and logs."""
    return ("X-Toxiproxy-Request-Id", secrets.token_hex(10))


class HttpProtocol(asyncio.Protocol):
    """One connection of an HTTP client: one request after the other, each answered by `handler`."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._http = h11.Connection(h11.SERVER)
        self._request: h11.Request | None = None
        self._body: list[bytes] = []
        self._answering: asyncio.Task[None] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._http.receive_data(data)
        self._advance()

    def eof_received(self) -> bool:
        self._http.receive_data(b"")
        self._advance()
        return self._answering is not None  # what was asked for before is still answered

    def connection_lost(self, _: Exception | None) -> None:
        self._transport = None  # what was asked for is still done

    def _advance(self) -> None:
        while self._answering is None and self._transport is not None:
            try:
                event = self._http.next_event()
            except h11.RemoteProtocolError:
                self._send(_BROKEN)
                self._close()
                return
            if self._http.they_are_waiting_for_100_continue:
                go_on = h11.InformationalResponse(status_code=100, headers=[], reason=b"Continue")
                self._send(self._http.send(go_on))
            if isinstance(event, h11.Request):
                self._request, self._body = event, []
            elif isinstance(event, h11.Data):
                self._body.append(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage):
                self._answering = asyncio.get_running_loop().create_task(self._answer())
            else:  # NEED_DATA, PAUSED or ConnectionClosed
                if isinstance(event, h11.ConnectionClosed):
                    self._close()
                return

    async def _answer(self) -> None:
        assert self._request is not None
        request = _read(self._request, b"".join(self._body))
        try:
            response = await self._handler(request)
        except Exception:
            _LOG.exception("%s %s", request.method, request.path)
            response = Response(500)
        self._respond(response)
        self._answering = None
        if self._http.our_state is h11.MUST_CLOSE:
            self._close()
        else:
            self._http.start_next_cycle()
            self._advance()

    def _respond(self, response: Response) -> None:
        headers = [*response.headers, ("Date", time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime()))]
        if response.status != 204:
            headers.append(("Content-Length", str(len(response.body))))
        reason = _REASONS.get(response.status, "")
        head = h11.Response(status_code=response.status, headers=headers, reason=reason.encode())
        self._send(self._http.send(head))
        self._send(self._http.send(h11.Data(data=response.body)))
        self._send(self._http.send(h11.EndOfMessage()))

    def _send(self, data: bytes | None) -> None:
        if data and self._transport is not None:
            self._transport.write(data)

    def _close(self) -> None:
        if self._transport is not None:
            self._transport.close()


_REASONS: Final = {
    200: "OK",
    201: "Created",
    204: "No Content",
    301: "Moved Permanently",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    500: "Internal Server Error",
}


def _read(head: h11.Request, body: bytes) -> Request:
    path, _, query = head.target.partition(b"?")
    headers = dict(head.headers)
    return Request(
        method=head.method.decode(),
        path=unquote_to_bytes(path).decode("utf-8", "replace"),
        query=query.decode("latin-1"),
        user_agent=headers.get(b"user-agent", b"").decode("latin-1"),
        body=body,
    )
