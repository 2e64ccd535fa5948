from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import gevent
import pytest

from harness.load import http1
from harness.load.access import Entrance
from harness.load.http1 import NotSentError, UnansweredError
from harness.load.line import Line

REPLY = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
REQUEST = http1.get("/", "anpi.example")


@contextmanager
def server(talk: Callable[[socket.socket], None]) -> Iterator[Entrance]:
    """A real server, in a thread of its own, that treats each connection in its turn."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection:
                    talk(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield Entrance("a", "127.0.0.1", listening.getsockname()[1], 1)
        listening.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def answer(connection: socket.socket) -> None:
    while connection.recv(1000):
        connection.sendall(REPLY)


def test_one_connection_serves_a_whole_visit() -> None:
    connections: list[socket.socket] = []

    def talk(connection: socket.socket) -> None:
        connections.append(connection)
        answer(connection)

    with server(talk) as entrance, Line("anpi.example", secure=False, try_s=5.0) as line:
        for _ in range(3):
            assert line.exchange(entrance, REQUEST).body == b"ok"
        assert len(connections) == 1


def test_refused_means_that_nothing_was_sent() -> None:
    nobody = Entrance("a", "127.0.0.1", 1, 1)
    with Line("anpi.example", secure=False, try_s=5.0) as line, pytest.raises(NotSentError, match="refused"):
        line.exchange(nobody, REQUEST)


@pytest.mark.parametrize(
    ("talk", "why"),
    [
        (lambda connection: connection.recv(1000), "closed"),
        (lambda connection: connection.recv(1000) and connection.sendall(REPLY[:-1]), "closed"),
        (lambda connection: connection.recv(1000) and connection.sendall(b"nonsense\r\n\r\n"), "malformed"),
    ],
)
def test_what_was_sent_and_not_answered_may_have_happened(
    talk: Callable[[socket.socket], None], why: str
) -> None:
    with (
        server(talk) as entrance,
        Line("anpi.example", secure=False, try_s=5.0) as line,
        pytest.raises(UnansweredError, match=why),
    ):
        line.exchange(entrance, REQUEST)


def test_silence_is_a_time_out_and_the_next_try_is_a_new_connection() -> None:
    told = threading.Event()

    def talk(connection: socket.socket) -> None:
        if told.is_set():
            answer(connection)
        else:
            connection.recv(1000)
            told.wait(5)

    with server(talk) as entrance, Line("anpi.example", secure=False, try_s=0.1) as line:
        with pytest.raises(UnansweredError, match="timeout"):
            line.exchange(entrance, REQUEST)
        told.set()
        with Line("anpi.example", secure=False, try_s=5.0) as another:
            assert another.exchange(entrance, REQUEST).status == 200


def test_a_reply_that_came_while_this_process_was_held_up_is_no_time_out() -> None:
    received: list[bytes] = []

    def talk(connection: socket.socket) -> None:
        received.append(connection.recv(1000))
        connection.sendall(REPLY)

    with server(talk) as entrance, Line("anpi.example", secure=False, try_s=0.2) as line:
        asking = gevent.spawn(line.exchange, entrance, REQUEST)
        with gevent.Timeout(5):
            while not received:  # by then the request is on its way
                gevent.sleep(0)
        hold_up_ns = time.monotonic_ns() + 500_000_000
        while time.monotonic_ns() < hold_up_ns:  # no other greenlet runs meanwhile
            pass
        assert asking.get(timeout=5).status == 200
