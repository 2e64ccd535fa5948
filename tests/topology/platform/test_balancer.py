"""A real Envoy in front of web nodes that say who they are, one zone near and one far."""

from __future__ import annotations

import http.client
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from tests.topology.platform.replica_part import Part, brought_up, eventually
from topology.map import Map, Node

pytestmark = [pytest.mark.fabric, pytest.mark.takes(35)]

UP_WITHIN_S = 20.0
#: Two checks of at most 1.5 s each, and the request that was under way.
OUT_WITHIN_S = 5.0
AT_ONCE_S = 0.9
NEAR, FAR = ("web-a1", "web-a2"), ("web-b1", "web-b2")

#: Says its name, and what method it was asked with. Not well while /mnt/tmp/sick exists.
WEB = """
import http.server, os, signal, threading
class Web(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def answer(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        sick = os.path.exists("/mnt/tmp/sick")
        body = f"{os.environ['NODE']} {self.command}".encode()
        self.send_response(503 if sick else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    do_GET = do_POST = answer
    def log_message(self, *a): pass
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
threading.Thread(target=http.server.ThreadingHTTPServer(("", 8021), Web).serve_forever, daemon=True).start()
http.server.ThreadingHTTPServer(("", 8000), Web).serve_forever()
"""


@contextmanager
def up(replica: Map, folder: Path, balancer: Node) -> Iterator[Part]:
    webs = [replace(replica.nodes[name], command=("python", "-c", WEB)) for name in (*NEAR, *FAR)]
    with brought_up(replica, [balancer, *webs], folder) as part:
        part.await_healthy([*webs, balancer], UP_WITHIN_S)
        await_near(part)
        yield part


@pytest.fixture(scope="module")
def shared(replica: Map, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Part]:
    with up(replica, tmp_path_factory.mktemp("balancer"), replica.nodes["balancer-a"]) as part:
        yield part


@pytest.fixture
def part(shared: Part) -> Iterator[Part]:
    """The balancer with four healthy web nodes; whatever a test does to them is taken back."""
    yield shared
    webs = [shared.node(name) for name in (*NEAR, *FAR)]
    for web in webs:
        shared.runtime.start(web)
    shared.await_healthy(webs, UP_WITHIN_S)
    await_near(shared)


def await_near(part: Part) -> None:
    """Until the balancer has seen both near nodes well: with one of them it gives some of the requests to far ones."""
    eventually(
        lambda: {who(part) for _ in range(20)} == set(NEAR), "the near nodes alone are asked", UP_WITHIN_S
    )


def ask(part: Part, method: str = "GET", timeout_s: float = 8.0) -> tuple[int, str]:
    """Status and body of one request on a connection of its own; (0, "") if there is no answer."""
    connection = None
    with suppress(OSError, http.client.HTTPException):
        connection = part.connect(part.node("balancer-a"), 8080, timeout_s)
        connection.request(method, "/a/token", body=b"status=safe" if method == "POST" else None)
        response = connection.getresponse()
        return response.status, response.read().decode()
    if connection is not None:
        connection.close()
    return 0, ""


def who(part: Part) -> str:
    """Which web node answered, "" if none did."""
    status, body = ask(part)
    return body.partition(" ")[0] if status == 200 else ""


def answered(part: Part) -> None:
    """However long it takes."""
    assert ask(part)[0] == 200


def timed(request: Callable[[], object]) -> float:
    began = time.monotonic()
    request()
    return time.monotonic() - began


def test_the_near_nodes_share_the_requests_while_they_are_well(part: Part) -> None:
    assert {who(part) for _ in range(40)} == set(NEAR)


def test_tls_gives_the_same_pages_under_the_services_name(part: Part) -> None:
    balancer = part.node("balancer-a")
    pem = part.runtime.exec(balancer, ["cat", "/mnt/tmp/balancer/certificate.pem"], 5).stdout.decode()
    trusting = ssl.create_default_context(cadata=pem)
    raw = part.connect(balancer, 8443).sock
    assert raw is not None
    with trusting.wrap_socket(raw, server_hostname="anpi.example") as secured:
        secured.sendall(b"GET / HTTP/1.1\r\nHost: anpi.example\r\nConnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: secured.recv(4096), b""))
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert answer.rstrip().endswith(b" GET")


def test_requests_leave_a_node_that_hangs(part: Part) -> None:
    hung = part.node("web-a1")
    part.runtime.pause(hung)
    try:
        eventually(
            lambda: all(timed(lambda: answered(part)) < AT_ONCE_S for _ in range(10)),
            "all are answered at once, though a near node hangs",
            OUT_WITHIN_S + 10 * AT_ONCE_S,
        )
        assert "web-a1" not in {who(part) for _ in range(20)}
    finally:
        part.runtime.resume(hung)


def test_requests_leave_a_node_that_says_it_is_not_well(part: Part) -> None:
    part.runtime.exec(part.node("web-a2"), ["touch", "/mnt/tmp/sick"], 5)
    try:
        assert {ask(part)[0] for _ in range(20)} == {200}  # a page that one cannot give, another can
        eventually(lambda: "web-a2" not in {who(part) for _ in range(10)}, "it gets no more", OUT_WITHIN_S)
    finally:
        part.runtime.exec(part.node("web-a2"), ["rm", "/mnt/tmp/sick"], 5)


def test_the_far_nodes_take_over_when_the_near_ones_lose_their_power(part: Part) -> None:
    for name in NEAR:
        part.runtime.kill(part.node(name))
    eventually(lambda: who(part) in FAR, "a far node answers", OUT_WITHIN_S)
    eventually(
        lambda: all(timed(lambda: who(part)) < AT_ONCE_S for _ in range(10)), "and at once", OUT_WITHIN_S + 9
    )


def test_an_answer_that_meets_a_stopped_node_is_taken_by_another(part: Part) -> None:
    part.runtime.stop(part.node("web-a1"))  # its kernel refuses, as while a program is restarted
    answers = [ask(part, "POST") for _ in range(20)]
    assert {status for status, _ in answers} == {200}
    assert {body.partition(" ")[2] for _, body in answers} == {"POST"}


def test_when_nobody_is_well_it_says_so_at_once(part: Part) -> None:
    webs = [part.node(name) for name in (*NEAR, *FAR)]
    for web in webs:
        part.runtime.exec(web, ["touch", "/mnt/tmp/sick"], 5)
    try:
        eventually(lambda: ask(part) == (503, "no healthy upstream"), "nobody is well", OUT_WITHIN_S)
        assert timed(lambda: ask(part)) < AT_ONCE_S
    finally:
        for web in webs:
            part.runtime.exec(web, ["rm", "/mnt/tmp/sick"], 5)


def test_a_node_joins_and_leaves_while_it_runs(part: Part) -> None:
    balancer = part.node("balancer-a")

    def write(near: tuple[str, ...], far: tuple[str, ...]) -> None:
        words = f"endpoints(Path('/mnt/tmp/balancer/endpoints.json'), {near!r}, {far!r})"
        script = f"from pathlib import Path; from topology.platform.balancer import endpoints; {words}"
        done = part.runtime.exec(balancer, ["python", "-c", script], 10)
        assert done.status == 0, done.stderr

    write((*NEAR, "web-b1"), ("web-b2",))
    eventually(lambda: "web-b1" in {who(part) for _ in range(10)}, "the new one answers", OUT_WITHIN_S)
    write(NEAR, FAR)
    eventually(lambda: "web-b1" not in {who(part) for _ in range(20)}, "it has left", OUT_WITHIN_S)


def test_everybody_is_passed_on_elsewhere_and_back_and_nobody_is_turned_away(part: Part) -> None:
    """Elsewhere is a port that the balancer does not watch, of one of its far web nodes."""
    balancer, way = part.node("balancer-a"), f"{part.node('web-b2').address}:8021"

    def pass_on(*ways: str) -> None:
        done = part.runtime.exec(balancer, ["python", "-m", "topology", "pass-on", *ways], 10)
        assert done.status == 0, done.stderr

    seen: list[tuple[int, str]] = []
    stop = threading.Event()

    def keep_asking() -> None:
        while not stop.is_set():
            seen.append(ask(part, "POST"))

    asking = threading.Thread(target=keep_asking)
    asking.start()
    try:
        pass_on(way)
        eventually(lambda: {who(part) for _ in range(10)} == {"web-b2"}, "all go elsewhere", OUT_WITHIN_S)
        pass_on()
        eventually(lambda: {who(part) for _ in range(20)} == set(NEAR), "all are served here", OUT_WITHIN_S)
    finally:
        stop.set()
        asking.join()
    assert {status for status, _ in seen} == {200}


def test_without_health_checks_requests_go_on_to_a_node_that_hangs(replica: Map, tmp_path: Path) -> None:
    command = ("python", "-m", "topology.variants.balancer_without_health_checks")
    with up(replica, tmp_path, replace(replica.nodes["balancer-a"], command=command)) as part:
        part.runtime.pause(part.node("web-a1"))
        hung_s = time.monotonic()
        eventually(
            lambda: time.monotonic() - hung_s > OUT_WITHIN_S and ask(part, timeout_s=AT_ONCE_S) == (0, ""),
            "somebody still waits for the one that hangs",
            3 * OUT_WITHIN_S,
        )
