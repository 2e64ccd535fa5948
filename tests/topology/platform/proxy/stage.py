"""A Toxiproxy server to test, and both ends of what goes through it."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

DEADLINE_S = 5.0
OURS = (sys.executable, "-m", "topology.platform.proxy.server")
UPSTREAM = "toxiproxy-server"


@dataclass(frozen=True)
class Answer:
    """What the API said."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


@dataclass
class Toxiproxy:
    """A running server. `call` speaks raw HTTP, so that every byte of an answer is seen."""

    kind: str
    port: int
    process: subprocess.Popen[bytes]
    counter: int = 0

    def call(self, method: str, path: str, body: object = None, agent: str = "conformance") -> Answer:
        """`body`: text as it is; anything else as JSON."""
        text = body if isinstance(body, str) or body is None else json.dumps(body)
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE_S)
        try:
            connection.request(method, path, text and text.encode(), {"User-Agent": agent})
            response = connection.getresponse()
            return Answer(response.status, dict(response.headers), response.read().decode())
        finally:
            connection.close()

    def proxy_to(self, upstream: str, **more: object) -> Proxy:
        """A new proxy under a name of its own."""
        self.counter += 1
        name = f"proxy{self.counter}"
        wanted = {"name": name, "listen": "127.0.0.1:0", "upstream": upstream, **more}
        answer = self.call("POST", "/proxies", wanted)
        assert answer.status == 201, answer
        return Proxy(self, name, answer.json["listen"])


@dataclass(frozen=True)
class Proxy:
    """One proxy of the server under test."""

    server: Toxiproxy
    name: str
    listen: str

    @property
    def path(self) -> str:
        return f"/proxies/{self.name}"

    def add(
        self, kind: str, stream: str = "downstream", toxicity: float = 1.0, name: str = "t", **attributes: int
    ) -> None:
        toxic = {"name": name, "type": kind, "stream": stream, "toxicity": toxicity, "attributes": attributes}
        assert self.server.call("POST", f"{self.path}/toxics", toxic).status == 200

    def change(self, name: str = "t", **attributes: int) -> None:
        assert (
            self.server.call("PATCH", f"{self.path}/toxics/{name}", {"attributes": attributes}).status == 200
        )

    def remove(self, name: str = "t") -> None:
        assert self.server.call("DELETE", f"{self.path}/toxics/{name}").status == 204

    def enable(self, enabled: bool) -> None:
        assert self.server.call("PATCH", self.path, {"enabled": enabled}).status == 200


@dataclass
class Upstream:
    """A listening socket whose connections the test holds itself."""

    listener: socket.socket
    opened: list[socket.socket] = field(default_factory=list)

    @property
    def address(self) -> str:
        host, port = self.listener.getsockname()
        return f"{host}:{port}"

    def accept(self) -> socket.socket:
        served, _ = self.listener.accept()
        served.settimeout(DEADLINE_S)
        self.opened.append(served)
        return served


@dataclass(frozen=True)
class Pair:
    """Both ends of one connection through a proxy."""

    client: socket.socket
    served: socket.socket


Connect = Callable[[Proxy], Pair]


@contextmanager
def running(kind: str, *flags: str) -> Iterator[Toxiproxy]:
    """A server of one kind, with these flags, until the block is left."""
    port = free_port()
    command = OURS if kind == "ours" else (UPSTREAM,)
    process = subprocess.Popen(
        [*command, "-host", "127.0.0.1", "-port", str(port), *flags],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: accepts("127.0.0.1", port), "the API to listen")
        yield Toxiproxy(kind, port, process)
    finally:
        process.terminate()
        process.wait(DEADLINE_S)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def accepts(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), 1.0).close()
    except OSError:
        return False
    return True


def wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, f"waited {DEADLINE_S} s for {what}"
        time.sleep(0.01)


def receive(sock: socket.socket, size: int) -> bytes:
    """Exactly `size` bytes, or what came before the end."""
    data = bytearray()
    while len(data) < size and (some := sock.recv(size - len(data))):
        data += some
    return bytes(data)


def receive_all(sock: socket.socket) -> bytes:
    """Everything until the end; a reset counts as one."""
    data = bytearray()
    try:
        while some := sock.recv(65536):
            data += some
    except ConnectionResetError:
        pass
    return bytes(data)


def is_cut(sock: socket.socket) -> bool:
    """Whether the other side ends within the deadline, politely or not."""
    try:
        return sock.recv(1) == b""
    except ConnectionResetError:
        return True
