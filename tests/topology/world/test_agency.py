from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.ioloop import IOLoop
from pyftpdlib.servers import FTPServer

from tests.topology.world.conftest import Start
from tests.topology.world.program import Program, until

BURST = 20


class Receiver:
    """An FTP server that keeps what it gets in a folder."""

    def __init__(self, folder: Path, port: int = 0) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        authorizer = DummyAuthorizer()
        authorizer.add_user("agency", "secret", str(folder), perm="ew")
        handler = type("Handler", (FTPHandler,), {"authorizer": authorizer, "auth_failed_timeout": 0})
        self._loop = IOLoop()
        self._server = FTPServer(("127.0.0.1", port), handler, ioloop=self._loop)
        self.port: int = self._server.address[1]
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while not self._over.is_set():
            self._loop.loop(timeout=0.01, blocking=False)
        self._server.close_all()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    @property
    def bodies(self) -> list[bytes]:
        return [path.read_bytes() for path in sorted(self.folder.iterdir())]


@pytest.fixture
def receive(tmp_path: Path) -> Iterator[Callable[..., Receiver]]:
    logging.getLogger("pyftpdlib").setLevel(logging.CRITICAL)
    receivers: list[Receiver] = []

    def begin(name: str, port: int = 0) -> Receiver:
        receivers.append(Receiver(tmp_path / name, port))
        return receivers[-1]

    yield begin
    for receiver in receivers:
        receiver.stop()


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a receiver that lost its power: connections are made, and nothing is ever said."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def begin(start: Start, feeds: str) -> Program:
    return start("world.agency", FEEDS=feeds, FEED_USER="agency", FEED_PASSWORD="secret")


def states(agency: Program) -> list[dict[str, str]]:
    return [
        {name: push["state"] for name, push in telegram["receivers"].items()}
        for telegram in agency.get("/telegrams")["telegrams"]
    ]


def test_both_receivers_get_every_telegram_in_order(start: Start, receive: Callable[..., Receiver]) -> None:
    first, second = receive("first"), receive("second")
    agency = begin(start, f"127.0.0.1:{first.port},localhost:{second.port}")
    for number in range(3):
        status, said = agency.ask("/telegrams", b"<Report>%d</Report>" % number)
        assert (status, said["number"]) == (202, number + 1)
    assert agency.ask("/telegrams?to=localhost", b"\x00not XML\xff")[0] == 202
    both = {"127.0.0.1": "taken", "localhost": "taken"}
    until(lambda: states(agency) == [both, both, both, {"localhost": "taken"}], "all pushes")
    assert first.bodies == [b"<Report>%d</Report>" % number for number in range(3)]
    assert second.bodies == [*first.bodies, b"\x00not XML\xff"]
    assert agency.ask("/telegrams?to=nowhere", b"x") == (
        400,
        {"error": "nowhere: not one of 127.0.0.1, localhost"},
    )


def test_a_receiver_that_is_gone_does_not_hold_up_the_other_and_gets_its_own_later(
    start: Start, receive: Callable[..., Receiver]
) -> None:
    here, gone = receive("here"), receive("gone")
    gone.stop()
    agency = begin(start, f"127.0.0.1:{here.port},localhost:{gone.port}")
    agency.ask("/telegrams", b"<Report/>")
    until(lambda: states(agency) == [{"127.0.0.1": "taken", "localhost": "waiting"}], "the one that is there")
    until(
        lambda: "Refused" in agency.get("/telegrams")["telegrams"][0]["receivers"]["localhost"]["trouble"],
        "why",
    )
    back = receive("gone", gone.port)
    until(lambda: back.bodies == [b"<Report/>"], "the one that came back")
    until(lambda: states(agency) == [{"127.0.0.1": "taken", "localhost": "taken"}], "the record")


def test_a_power_loss_at_the_agency_loses_no_telegram(start: Start, receive: Callable[..., Receiver]) -> None:
    """Killed in a burst, with a receiver that was not there until then."""
    here, gone = receive("here"), receive("gone")
    gone.stop()
    agency = begin(start, f"127.0.0.1:{here.port},localhost:{gone.port}")
    published = []
    for number in range(BURST):
        assert agency.ask("/telegrams", b"<Report>%02d</Report>" % number)[0] == 202
        published.append(b"<Report>%02d</Report>" % number)
    agency.kill()
    back = receive("gone", gone.port)
    agency.start()
    until(lambda: here.bodies == back.bodies == published, "all at both")
    assert agency.ask("/telegrams", b"<Report>more</Report>")[1]["number"] == BURST + 1


def test_it_stops_in_time_while_a_receiver_says_nothing(start: Start, silent: int) -> None:
    agency = begin(start, f"127.0.0.1:{silent}")
    agency.ask("/telegrams", b"<Report/>")
    assert agency.stop() < 4
