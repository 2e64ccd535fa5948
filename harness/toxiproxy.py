"""Toxiproxy servers, driven through their Python client: many of them, from many threads, with time-outs.

The client keeps its server in class attributes and waits for ever, so a subclass that looks the server up for each
thread, and gives up in time, is put in its place; calls to different servers then need no lock.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final

import requests
import toxiproxy.proxy
import toxiproxy.server
from toxiproxy.api import APIConsumer, validate_response
from toxiproxy.exceptions import InvalidToxic, NotFound, ProxyExists

TIMEOUT_S: Final = 3.0


class ToxiproxyError(RuntimeError):
    """A server did not do as asked: which one, what was asked, and what it said."""


@dataclass(frozen=True)
class Toxic:
    """One toxic as the API has it; times in `attributes` are milliseconds, sizes bytes, a bandwidth's rate KB/s."""

    name: str
    type: str
    stream: str = "downstream"
    toxicity: float = 1.0
    attributes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Toxiproxy:
    """One server. Every call opens its own connection, in the network of the thread that calls.

    All methods raise ToxiproxyError: for an unknown proxy, a toxic that is none, a server that is not there or that
    does not answer within `timeout_s`.
    """

    host: str
    port: int = 8474
    timeout_s: float = TIMEOUT_S

    def proxies(self) -> list[str]:
        """The names of its proxies."""
        with self._calling("list its proxies"):
            return sorted(toxiproxy.server.Toxiproxy().proxies())

    def toxics(self, proxy: str) -> list[Toxic]:
        """The toxics on a proxy."""
        with self._calling(f"list the toxics of {proxy}"):
            found = self._proxy(proxy).toxics().values()
            return [
                Toxic(toxic.name, toxic.type, toxic.stream, toxic.toxicity, toxic.attributes)
                for toxic in found
            ]

    def add(self, proxy: str, toxic: Toxic) -> None:
        """Put a toxic on a proxy, in place of one of the same name if there is one."""
        with self._calling(f"put {toxic.name} on {proxy}"):
            target = self._proxy(proxy)
            if target.get_toxic(toxic.name) is not None:
                target.destroy_toxic(toxic.name)
            target.add_toxic(
                name=toxic.name,
                type=toxic.type,
                stream=toxic.stream,
                toxicity=toxic.toxicity,
                attributes=dict(toxic.attributes),
            )

    def remove(self, proxy: str, toxic: str) -> None:
        """Take a toxic off a proxy; nothing if it is not there."""
        with self._calling(f"take {toxic} off {proxy}"):
            target = self._proxy(proxy)
            if target.get_toxic(toxic) is not None:
                target.destroy_toxic(toxic)

    def disable(self, proxy: str) -> None:
        """Refuse connections, and cut those there are."""
        with self._calling(f"disable {proxy}"):
            self._proxy(proxy).disable()

    def enable(self, proxy: str) -> None:
        with self._calling(f"enable {proxy}"):
            self._proxy(proxy).enable()

    def reset(self) -> None:
        """Enable every proxy and take off every toxic."""
        with self._calling("reset"):
            toxiproxy.server.Toxiproxy().reset()

    def request(self, method: str, path: str, **arguments: Any) -> requests.Response:
        """What the client's own consumer would do, with an end. Raises the client's errors."""
        with requests.Session() as session:
            session.trust_env = False  # a proxy for the web is not for here
            url = f"http://{self.host}:{self.port}{path}"
            answer = session.request(method, url, **{"timeout": self.timeout_s, **arguments})
        validate_response(answer)
        if not answer.ok:
            raise ToxiproxyError(answer.text.strip())
        return answer

    def _proxy(self, name: str) -> Any:
        found = toxiproxy.server.Toxiproxy().get_proxy(name)
        if found is None:
            raise NotFound(f"no proxy {name}")
        return found

    @contextmanager
    def _calling(self, what: str) -> Iterator[None]:
        """Let the client talk to this server, and name it in every error."""
        token = _SERVER.set(self)
        try:
            yield
        except requests.Timeout:
            raise ToxiproxyError(
                f"{self._name}: cannot {what}: no answer within {self.timeout_s} s"
            ) from None
        except (requests.RequestException, ProxyExists, NotFound, InvalidToxic, ToxiproxyError) as error:
            raise ToxiproxyError(f"{self._name}: cannot {what}: {_said(error)}") from error
        finally:
            _SERVER.reset(token)

    @property
    def _name(self) -> str:
        return f"Toxiproxy at {self.host}:{self.port}"


_SERVER: Final[ContextVar[Toxiproxy]] = ContextVar("server")


class _Consumer(APIConsumer):  # type: ignore[misc]
    @classmethod
    def get(cls, url: str, params: Any = None, **arguments: Any) -> requests.Response:
        return _SERVER.get().request("GET", url, params=params, **arguments)

    @classmethod
    def post(cls, url: str, data: Any = None, json: Any = None, **arguments: Any) -> requests.Response:
        return _SERVER.get().request("POST", url, data=data, json=json, **arguments)

    @classmethod
    def delete(cls, url: str, **arguments: Any) -> requests.Response:
        return _SERVER.get().request("DELETE", url, **arguments)


toxiproxy.proxy.APIConsumer = toxiproxy.server.APIConsumer = _Consumer


def _said(error: Exception) -> str:
    said = error.args[0] if error.args else error
    return said.decode("utf-8", "replace").strip() if isinstance(said, bytes) else str(said)
