"""Toxiproxy's HTTP API."""

from __future__ import annotations

import asyncio
import dataclasses
import posixpath
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Final, TypeAlias

from topology.platform.proxy import VERSION, errors, requests, wire
from topology.platform.proxy.active import ActiveToxic
from topology.platform.proxy.http import Request, Response, request_id
from topology.platform.proxy.proxies import Proxies
from topology.platform.proxy.proxy import Proxy, ProxySpec

_JSON: Final = (("Content-Type", "application/json"),)
_TEXT: Final = (("Content-Type", "text/plain; charset=utf-8"), ("X-Content-Type-Options", "nosniff"))

_ANY: Final = "any method"
_Route: TypeAlias = Callable[..., Awaitable[Response]]


class Api:
    """Answers requests, one after the other: every change is whole before the next one begins."""

    def __init__(self, proxies: Proxies, metrics: Callable[[], str] | None = None) -> None:
        """`metrics`: what /metrics shows; without it there is no such page."""
        self._proxies = proxies
        self._one_at_a_time = asyncio.Lock()
        self._routes: dict[tuple[str, ...], Mapping[str, _Route]] = {
            ("reset",): {"POST": self._reset},
            ("proxies",): {"GET": self._list_proxies, "POST": self._create_proxy},
            ("populate",): {"POST": self._populate},
            ("proxies", "*"): {
                "GET": self._show_proxy,
                "POST": self._update_proxy,
                "PATCH": self._update_proxy,
                "DELETE": self._delete_proxy,
            },
            ("proxies", "*", "toxics"): {"GET": self._list_toxics, "POST": self._create_toxic},
            ("proxies", "*", "toxics", "*"): {
                "GET": self._show_toxic,
                "POST": self._update_toxic,
                "PATCH": self._update_toxic,
                "DELETE": self._delete_toxic,
            },
            ("version",): {"GET": self._version},
        }
        if metrics is not None:
            self._routes[("metrics",)] = {_ANY: partial(_show_metrics, metrics)}

    async def answer(self, request: Request) -> Response:
        clean = _clean(request.path)
        if clean != request.path:
            query = f"?{request.query}" if request.query else ""
            return Response(301, headers=(("Location", clean + query),))
        parts = tuple(request.path[1:].split("/"))
        for pattern, methods in self._routes.items():
            names = _match(pattern, parts)
            if names is not None:
                route = methods.get(request.method) or methods.get(_ANY)
                if route is None:
                    return Response(405)
                answer = await self._guarded(route, request, names)
                return dataclasses.replace(answer, headers=(*answer.headers, request_id()))
        return Response(404, b"404 page not found\n", _TEXT)

    async def _guarded(self, route: _Route, request: Request, names: tuple[str, ...]) -> Response:
        if request.user_agent.startswith("Mozilla/"):  # a page in a browser must not reach this API
            return Response(403, b"User agent not allowed\n", _TEXT)
        async with self._one_at_a_time:
            try:
                return await route(request, *names)
            except errors.ApiError as error:
                return _failed(error)
            except OSError as error:
                return _failed(errors.ApiError(str(error), 500))

    # -- proxies -----------------------------------------------------------------------------------------------

    async def _list_proxies(self, _: Request) -> Response:
        return _json(200, wire.proxies_text(self._proxies))

    async def _create_proxy(self, request: Request) -> Response:
        spec = requests.new_proxy(request.body)
        if spec.name in self._proxies:
            raise errors.proxy_exists()
        return _json(201, wire.proxy_text(await self._proxies.add(spec)))

    async def _populate(self, request: Request) -> Response:
        done: list[Proxy] = []
        failure: errors.ApiError | None = None
        try:
            await self._proxies.populate(requests.new_proxies(request.body), done)
        except errors.ApiError as error:
            failure = error
        except OSError as error:
            failure = errors.ApiError(str(error), 500)
        proxies = "[" + ",".join(map(wire.proxy_text, done)) + "]" if done else "null"
        if failure is None:
            return _json(201, f'{{"proxies":{proxies}}}')
        fields = wire.dump({"error": failure.message, "status": failure.status})
        return _json(failure.status, f'{fields[:-1]},"proxies":{proxies}}}')

    async def _show_proxy(self, _: Request, name: str) -> Response:
        return _json(200, wire.proxy_text(self._proxy(name)))

    async def _update_proxy(self, request: Request, name: str) -> Response:
        proxy = self._proxy(name)
        current = ProxySpec(proxy.name, proxy.listen, proxy.upstream, proxy.enabled)
        await proxy.update(requests.updated_proxy(request.body, current))
        return _json(200, wire.proxy_text(proxy))

    async def _delete_proxy(self, _: Request, name: str) -> Response:
        self._proxies.remove(self._proxy(name).name)
        return Response(204)

    async def _reset(self, _: Request) -> Response:
        for proxy in self._proxies:
            await proxy.start()
            for active in proxy.all_toxics():
                proxy.remove_toxic(active)
        return Response(204)

    # -- toxics ------------------------------------------------------------------------------------------------

    async def _list_toxics(self, _: Request, name: str) -> Response:
        return _json(200, wire.toxics_text(self._proxy(name).all_toxics()))

    async def _create_toxic(self, request: Request, name: str) -> Response:
        proxy = self._proxy(name)
        active = requests.new_toxic(request.body)
        if proxy.toxic(active.name) is not None:
            raise errors.toxic_exists()
        proxy.add_toxic(active)
        return _json(200, wire.toxic_text(active))

    async def _show_toxic(self, _: Request, name: str, toxic: str) -> Response:
        return _json(200, wire.toxic_text(_toxic(self._proxy(name), toxic)))

    async def _update_toxic(self, request: Request, name: str, toxic: str) -> Response:
        proxy = self._proxy(name)
        active = requests.updated_toxic(request.body, _toxic(proxy, toxic))
        proxy.update_toxic(active)
        return _json(200, wire.toxic_text(active))

    async def _delete_toxic(self, _: Request, name: str, toxic: str) -> Response:
        proxy = self._proxy(name)
        proxy.remove_toxic(_toxic(proxy, toxic))
        return Response(204)

    async def _version(self, _: Request) -> Response:
        headers = (("Content-Type", "application/json;charset=utf-8"),)
        return Response(200, f'{{"version": "{VERSION}"}}\n'.encode(), headers)

    def _proxy(self, name: str) -> Proxy:
        try:
            return self._proxies[name]
        except KeyError:
            raise errors.proxy_not_found() from None


def _toxic(proxy: Proxy, name: str) -> ActiveToxic:
    active = proxy.toxic(name)
    if active is None:
        raise errors.toxic_not_found()
    return active


async def _show_metrics(metrics: Callable[[], str], _: Request) -> Response:
    return Response(200, metrics().encode(), _TEXT[:1])


def _clean(path: str) -> str:
    """The path that this one means: no double slashes, no dots."""
    clean = posixpath.normpath("/" + path.lstrip("/"))
    return clean + "/" if path.endswith("/") and clean != "/" else clean


def _match(pattern: tuple[str, ...], parts: tuple[str, ...]) -> tuple[str, ...] | None:
    """The names that stand where the pattern has stars, or None if the path is another."""
    if len(pattern) != len(parts):
        return None
    names = []
    for expected, part in zip(pattern, parts, strict=True):
        if expected == "*" and part:
            names.append(part)
        elif expected != part:
            return None
    return tuple(names)


def _json(status: int, text: str) -> Response:
    return Response(status, text.encode(), _JSON)


def _failed(error: errors.ApiError) -> Response:
    text = wire.dump({"error": error.message, "status": error.status})
    return Response(error.status, f"{text}\n".encode(), _TEXT)
