"""Driven by toxiproxy-python, as a program that has never heard of us would."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

from tests.topology.platform.proxy.stage import DEADLINE_S, Proxy, Toxiproxy, Upstream

#: In a process of its own, because the client keeps its server in class attributes. It is given a port and an upstream.
PROGRAM = """
import socket, sys
from toxiproxy import Toxiproxy
from toxiproxy.exceptions import InvalidToxic, NotFound, ProxyExists

def raises(expected, call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except expected as error:
        return str(error)
    raise AssertionError(f"{expected} was not raised")

def listens(proxy):
    host, port = proxy.listen.split(":")
    with socket.socket() as client:
        return client.connect_ex((host, int(port))) == 0

server = Toxiproxy()
server.update_api_consumer("127.0.0.1", int(sys.argv[1]))
upstream = sys.argv[2]
assert server.running()
assert b"version" in server.version()

one = server.create(upstream=upstream, name="one")
off = server.create(upstream=upstream, name="off", enabled=False)
assert sorted(server.proxies()) == ["off", "one"]
assert listens(one) and one.enabled
assert not off.enabled
raises(ProxyExists, server.create, upstream=upstream, name="one")
assert server.get_proxy("one").upstream == upstream
assert server.get_proxy("nobody") is None

one.add_toxic(name="late", type="latency", stream="upstream", toxicity=0.5, attributes={"latency": 5})
one.add_toxic(type="bandwidth", attributes={"rate": 100})
assert sorted(one.toxics()) == ["bandwidth_downstream", "late"]
late = one.get_toxic("late")
assert (late.stream, late.toxicity, late.attributes) == ("upstream", 0.5, {"latency": 5, "jitter": 0})
raises(ProxyExists, one.add_toxic, name="late", type="latency")
assert "invalid toxic type" in raises(InvalidToxic, one.add_toxic, type="bogus")
one.destroy_toxic("late")
assert one.get_toxic("late") is None
raises(NotFound, one.destroy_toxic, "late")

with one.down():
    assert not listens(one)
assert listens(one)
off.enable()
off.disable()
assert server.reset()
assert one.toxics() == {} and server.get_proxy("off").enabled

made = server.populate([
    {"name": "one", "upstream": upstream, "listen": one.listen},
    {"name": "two", "upstream": upstream, "listen": "127.0.0.1:0"},
])
assert [proxy.name for proxy in made] == ["two"]
server.destroy_all()
assert server.proxies() == {}
raises(NotFound, one.destroy)
"""


@pytest.fixture
def empty(toxiproxy: Toxiproxy) -> Toxiproxy:
    for name in toxiproxy.call("GET", "/proxies").json:
        toxiproxy.call("DELETE", Proxy(toxiproxy, name, "").path)
    return toxiproxy


def test_the_python_client_finds_everything_as_it_expects(empty: Toxiproxy, upstream: Upstream) -> None:
    command = [sys.executable, "-c", textwrap.dedent(PROGRAM), str(empty.port), upstream.address]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=4 * DEADLINE_S)
    assert ran.returncode == 0, ran.stderr
