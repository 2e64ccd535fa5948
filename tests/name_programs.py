"""The name server and a resolver as real programs on loopback, and balancers that are as healthy as they are told."""

from __future__ import annotations

import http.client
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import dns.message
import dns.query
import dns.rcode

from harness.load.access import Access

TTL_S = 2
PATIENCE_S = 10.0
HERE, THERE, FAR = "127.0.0.2", "127.0.0.3", "127.0.0.4"


class Balancers:
    """Something at port `port` of each address, that answers its health page as told."""

    def __init__(self) -> None:
        self.status = {HERE: 200, THERE: 200, FAR: 200}
        self.port = 0
        self._servers: list[ThreadingHTTPServer] = []
        for address in self.status:
            server = ThreadingHTTPServer((address, self.port), self._handler(address))
            self.port = server.server_address[1]
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
            self._servers.append(server)

    def _handler(self, address: str) -> type[BaseHTTPRequestHandler]:
        balancers = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(balancers.status[address] if self.path == "/health" else 404)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        return Handler

    def close(self) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()


@dataclass
class Program:
    """One that runs, where it answers, and what it has said so far."""

    process: subprocess.Popen[str]
    http: int
    dns: list[int]

    def http_ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.http, timeout=PATIENCE_S)
        try:
            connection.request(method, path, None if body is None else json.dumps(body))
            reply = connection.getresponse()
            text = reply.read()
            return reply.status, json.loads(text) if text.startswith((b"{", b"[")) else text
        finally:
            connection.close()

    def look_up(self, name: str = "anpi.example", kind: str = "A", cache: int = 0) -> dns.message.Message:
        return dns.query.udp(
            dns.message.make_query(name, kind), "127.0.0.1", timeout=PATIENCE_S, port=self.dns[cache]
        )

    def addresses(self, cache: int = 0) -> set[str]:
        return {str(record) for rrset in self.look_up(cache=cache).answer for record in rrset}

    def told_s(self, cache: int = 0) -> int:
        return int(self.look_up(cache=cache).answer[0].ttl)


@contextmanager
def running(role: str, **environment: str) -> Iterator[Program]:
    process = subprocess.Popen(
        [sys.executable, "-m", "topology", role],
        env={**os.environ, "PORT": "0", **environment},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if ready := re.match(r"ready: http (\d+), dns ([0-9 ]+)", line):
                break
        else:
            raise AssertionError(f"{role} did not become ready")
        threading.Thread(target=process.stdout.read, daemon=True).start()
        yield Program(process, int(ready[1]), [int(port) for port in ready[2].split()])
    finally:
        process.kill()
        process.wait()


def name_server(balancers: Balancers, folder: Path) -> AbstractContextManager[Program]:
    """The name server on the disk that is that folder."""
    return running(
        "dns",
        DNS_PORT="0",
        DATA=str(folder),
        NODE="localhost",
        REGIONS=f"singapore={HERE},{THERE};tokyo={FAR};virginia=balancer-v.invalid",
        BALANCER_PORT=str(balancers.port),
        TTL_S=str(TTL_S),
    )


def resolver_of(names: Program, **environment: str) -> AbstractContextManager[Program]:
    server = f"127.0.0.1:{names.dns[0]}"
    return running("resolver", DNS_SERVER=server, RESOLVER_PORT="0", KEEPING="0", **environment)


def healthy_names(names: Program) -> int:
    _, told = names.http_ask("GET", "/answers")
    return sum(one["healthy"] for region in told["regions"].values() for one in region)


def until(condition: Callable[[], bool], what: str, within_s: float = PATIENCE_S) -> None:
    deadline_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline_s, f"not within {within_s:g} s: {what}"
        time.sleep(0.02)


def hold(program: Program) -> None:
    """As after the loss of its power: no answer to anything."""
    program.process.kill()
    program.process.wait()


@contextmanager
def named(access: Access, folder: Path) -> Iterator[tuple[Access, Program, Program]]:
    """The same carrier with a resolver: the name leads to entrance a in Singapore, and to b in Tokyo.

    Gives its access, the name server and the resolver.
    """
    balancers = Balancers()
    try:
        with name_server(balancers, folder) as names, resolver_of(names) as resolver:
            until(lambda: names.look_up().rcode() == dns.rcode.NOERROR, "an answer")
            a, b = access.entrances
            resolvers = tuple(("127.0.0.1", port) for port in resolver.dns)
            ways = (replace(a, to=HERE), replace(b, to=FAR))
            yield replace(access, entrances=ways, resolvers=resolvers), names, resolver
    finally:
        balancers.close()
