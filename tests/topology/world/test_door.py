from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.topology.world.program import Program
from topology.world.door import Door, doors


class Inside:
    """Somebody who stands inside at an address of the loopback net, and says which one to everybody who asks."""

    def __init__(self, address: str, port: int = 0) -> None:
        self._socket = socket.create_server((address, port))
        self._address = address
        self.port: int = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                visitor, _ = self._socket.accept()
                with visitor:
                    heard = b""
                    while piece := visitor.recv(65536):
                        heard += piece
                    visitor.sendall(f"{self._address} heard {len(heard)} bytes".encode())

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


class Names(ThreadingHTTPServer):
    """A name server as far as the door asks one: where the name leads, over HTTP."""

    addresses: list[str]

    class Handler(BaseHTTPRequestHandler):
        server: Names

        def do_GET(self) -> None:
            body = json.dumps({"addresses": self.server.addresses}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), self.Handler)
        self.addresses = []
        threading.Thread(target=self.serve_forever, daemon=True).start()


@pytest.fixture
def names() -> Iterator[Names]:
    with Names() as server:
        yield server
        server.shutdown()


@pytest.fixture
def inside() -> Iterator[Inside]:
    one = Inside("127.0.0.2")
    yield one
    one.close()


@pytest.fixture
def way() -> int:
    """The port at which people come in."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def door(names: Names, inside: Inside, way: int, tmp_path: Path) -> Iterator[Program]:
    program = Program(
        "topology.world.door",
        tmp_path,
        NAMES=f"127.0.0.1:{names.server_address[1]}",
        DOORS=f"{way}:{inside.port}",
    )
    yield program
    program.kill()


def visit(port: int, text: bytes = b"") -> str:
    """What is heard of who stands inside; empty if nobody does."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as visitor:
        heard = b""
        with suppress(ConnectionError):
            visitor.sendall(text)
            visitor.shutdown(socket.SHUT_WR)
            while piece := visitor.recv(65536):
                heard += piece
        return heard.decode()


def test_a_visitor_is_led_to_where_the_name_leads(
    names: Names, inside: Inside, door: Program, way: int
) -> None:
    names.addresses = ["127.0.0.2"]
    assert visit(way, b"x" * 300_000) == "127.0.0.2 heard 300000 bytes"


def test_where_nobody_lets_in_the_next_address_is_tried(
    names: Names, inside: Inside, door: Program, way: int
) -> None:
    names.addresses = ["127.0.0.9", "127.0.0.2"]
    assert visit(way) == "127.0.0.2 heard 0 bytes"


def test_the_next_visitor_follows_the_name(names: Names, inside: Inside, door: Program, way: int) -> None:
    names.addresses = ["127.0.0.2"]
    assert visit(way) == "127.0.0.2 heard 0 bytes"
    other = Inside("127.0.0.3", inside.port)
    names.addresses = ["127.0.0.3"]
    assert visit(way) == "127.0.0.3 heard 0 bytes"
    other.close()


def test_what_the_name_server_said_last_holds_while_it_says_nothing(
    names: Names, inside: Inside, door: Program, way: int
) -> None:
    names.addresses = ["127.0.0.2"]
    assert visit(way) == "127.0.0.2 heard 0 bytes"
    names.shutdown()
    names.server_close()
    assert visit(way) == "127.0.0.2 heard 0 bytes"


def test_a_visitor_whom_nobody_lets_in_is_hung_up_on(names: Names, door: Program, way: int) -> None:
    names.addresses = ["127.0.0.9"]
    assert visit(way) == ""


def test_it_is_healthy_once_it_knows_where_the_name_leads(names: Names, door: Program) -> None:
    assert door.ask("/health")[0] == 503
    names.addresses = ["127.0.0.2"]
    assert door.ask("/health")[0] == 200


def test_doors_as_written() -> None:
    assert doors("8080,8443:443") == (Door(8080, 8080), Door(8443, 443))
    with pytest.raises(ValueError, match="invalid literal"):
        doors("8080,")
