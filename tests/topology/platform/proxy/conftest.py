"""The server under test is ours always, and upstream's too where it is on PATH."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator

import pytest

from tests.topology.platform.proxy.stage import (
    DEADLINE_S,
    UPSTREAM,
    Connect,
    Pair,
    Proxy,
    Toxiproxy,
    Upstream,
    running,
)


@pytest.fixture(scope="module", params=["ours", "upstream"] if shutil.which(UPSTREAM) else ["ours"])
def toxiproxy(request: pytest.FixtureRequest) -> Iterator[Toxiproxy]:
    with running(request.param) as server:
        yield server


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listener:
        listener.settimeout(DEADLINE_S)
        server = Upstream(listener)
        yield server
        for served in server.opened:
            served.close()


@pytest.fixture
def silent() -> Iterator[Upstream]:
    """A server that answers no connection, for it has no room for one; accept its first, and it has."""
    with socket.socket() as listener, socket.socket() as filler:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        listener.settimeout(DEADLINE_S)
        filler.connect(listener.getsockname())
        yield Upstream(listener)


@pytest.fixture
def proxy(toxiproxy: Toxiproxy, upstream: Upstream) -> Iterator[Proxy]:
    made = toxiproxy.proxy_to(upstream.address)
    yield made
    toxiproxy.call("DELETE", made.path)


@pytest.fixture
def connect(upstream: Upstream) -> Iterator[Connect]:
    """Connect through a proxy, and be the server at the other end too."""
    clients: list[socket.socket] = []

    def through(proxy: Proxy) -> Pair:
        host, port = proxy.listen.rsplit(":", 1)
        client = socket.create_connection((host, int(port)), DEADLINE_S)
        clients.append(client)
        return Pair(client, upstream.accept())

    yield through
    for client in clients:
        client.close()
