"""The wrapper over Toxiproxy's client, against real servers."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from harness.toxiproxy import Toxic, Toxiproxy, ToxiproxyError
from tests.topology.platform.proxy.stage import free_port, running

LATE = Toxic("late", "latency", "upstream", 0.5, {"latency": 100, "jitter": 5})


@pytest.fixture(scope="module")
def servers() -> Iterator[list[Toxiproxy]]:
    """Two servers, with proxies a and b on one, and c on the other."""
    with ExitStack() as stack:
        made = []
        for names in ("ab", "c"):
            server = stack.enter_context(running("ours"))
            for name in names:
                server.call(
                    "POST", "/proxies", {"name": name, "listen": "127.0.0.1:0", "upstream": "127.0.0.1:1"}
                )
            made.append(Toxiproxy("127.0.0.1", server.port))
        yield made


@pytest.fixture
def server(servers: list[Toxiproxy]) -> Iterator[Toxiproxy]:
    yield servers[0]
    servers[0].reset()


def test_proxies_are_listed(servers: list[Toxiproxy]) -> None:
    assert [server.proxies() for server in servers] == [["a", "b"], ["c"]]


def test_a_toxic_is_put_on_and_taken_off(server: Toxiproxy) -> None:
    server.add("a", LATE)
    assert server.toxics("a") == [LATE]
    assert server.toxics("b") == []
    server.remove("a", "late")
    assert server.toxics("a") == []


def test_putting_on_twice_replaces_and_taking_off_twice_does_nothing(server: Toxiproxy) -> None:
    server.add("a", LATE)
    slower = Toxic("late", "latency", "downstream", 1.0, {"latency": 200, "jitter": 0})
    server.add("a", slower)
    assert server.toxics("a") == [slower]
    server.remove("a", "late")
    server.remove("a", "late")


def test_reset_takes_everything_off(server: Toxiproxy) -> None:
    server.add("a", LATE)
    server.disable("a")
    server.reset()
    assert server.toxics("a") == []


def test_a_proxy_is_disabled_and_enabled(server: Toxiproxy) -> None:
    listen = server.request("GET", "/proxies/a").json()["listen"]
    host, port = listen.split(":")
    server.disable("a")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)), 1.0)
    server.enable("a")
    socket.create_connection((host, int(port)), 1.0).close()


def test_many_threads_drive_many_servers_and_never_meet(servers: list[Toxiproxy]) -> None:
    def drive(number: int) -> list[str]:
        server, proxy = (servers[0], "ab"[number % 4 // 2]) if number % 2 else (servers[1], "c")
        server.add(proxy, Toxic(f"t{number}", "noop"))
        server.remove(proxy, f"t{number}")
        return server.proxies()

    with ThreadPoolExecutor(8) as pool:
        seen = list(pool.map(drive, range(40)))
    assert seen == [["a", "b"] if number % 2 else ["c"] for number in range(40)]
    assert all(server.toxics(proxy) == [] for server in servers for proxy in server.proxies())


def test_a_server_that_does_not_answer_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        server = Toxiproxy("127.0.0.1", silent.getsockname()[1], timeout_s=0.2)
        began = time.monotonic()
        with pytest.raises(
            ToxiproxyError, match=r"127\.0\.0\.1:\d+: cannot list its proxies: no answer within 0.2 s"
        ):
            server.proxies()
        assert time.monotonic() - began < 2.0


def test_a_server_that_is_not_there_is_named() -> None:
    port = free_port()
    with pytest.raises(ToxiproxyError, match=f"127.0.0.1:{port}: cannot reset"):
        Toxiproxy("127.0.0.1", port).reset()


def test_a_proxy_or_a_toxic_that_is_none_is_named(server: Toxiproxy) -> None:
    with pytest.raises(ToxiproxyError, match="cannot put late on nobody: no proxy nobody"):
        server.add("nobody", LATE)
    with pytest.raises(ToxiproxyError, match=r"cannot put x on a: .*invalid toxic type"):
        server.add("a", Toxic("x", "bogus"))


def test_a_web_proxy_in_the_environment_is_not_used(
    server: Toxiproxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    assert server.proxies() == ["a", "b"]
