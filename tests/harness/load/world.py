"""The load and the probes as programs, and the other side of their wire as programs of its own."""

from __future__ import annotations

import datetime
import json
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from harness.load.access import Access, Entrance

PEER = Path(__file__).with_name("peer.py")
READY_WITHIN_S = 60.0


class Running:
    """A program that prints `ready` and then, perhaps, JSON lines."""

    def __init__(self, argv: list[str]) -> None:
        self.process = subprocess.Popen([sys.executable, *argv], stdout=subprocess.PIPE)
        self.lines: list[dict[str, Any]] = []
        self._ready = threading.Event()
        assert self.process.stdout is not None
        self._reader = threading.Thread(target=self._read, args=(self.process.stdout,), daemon=True)
        self._reader.start()
        assert self._ready.wait(READY_WITHIN_S), f"{argv} did not become ready"

    def _read(self, stdout: IO[bytes]) -> None:
        for line in stdout:
            if line.strip() == b"ready":
                self._ready.set()
            else:
                self.lines.append(json.loads(line))

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def terminate(self) -> float:
        """SIGTERM; seconds until it had ended with status 0."""
        started_s = time.monotonic()
        self.send(signal.SIGTERM)
        assert self.process.wait(10) == 0
        self._reader.join(5)
        return time.monotonic() - started_s

    def hang(self, seconds: float) -> tuple[int, int]:
        """Stop it for exactly this long; when that began and ended, monotonic nanoseconds."""
        began_ns = time.monotonic_ns()
        self.send(signal.SIGSTOP)
        until_ns = began_ns + int(seconds * 1e9)
        threading.Event().wait((until_ns - time.monotonic_ns()) / 1e9)
        self.send(signal.SIGCONT)
        return began_ns, time.monotonic_ns()

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._reader.join(5)


@dataclass
class World:
    """What a carrier's people reach: the entrances of the service, and their mail."""

    entrances: Running
    mail: Running
    access: Access

    def get(self, path: str) -> Any:
        return json.loads(_call(self.access.entrances[0].http, path))

    def post(self, path: str, body: str) -> None:
        """To the service; only the tests do this."""
        _call(self.access.entrances[0].http, path, body)

    def reset(self) -> None:
        """As it was at first: open, nobody has answered, no mail."""
        self.post("/reset", "")
        _call(self.access.mail[1], "/reset", "")

    def mail_to(self, addresses: Mapping[str, str], *, noticed: bool = True) -> None:
        """Mail each address its link, by token."""
        messages = [
            {
                "id": f"1.{n}.1@anpi.example",
                "to": to,
                "subject": "安否確認",
                "text": f"https://anpi.example/a/{token}",
            }
            for n, (to, token) in enumerate(addresses.items())
        ]
        body = json.dumps({"messages": messages})
        _call(self.access.mail[1], f"/v3/mail/send?noticed={int(noticed)}", body)


def _call(port: int, path: str, body: str | None = None) -> bytes:
    data = None if body is None else body.encode()
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", data, timeout=5) as reply:
        return bytes(reply.read())


def free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def make_certificate(folder: Path) -> Path:
    """A certificate that nobody vouches for, and its key beside it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "anpi.example")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    (folder / "it.pem").write_bytes(made.public_bytes(pem))
    (folder / "it.key").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    return folder / "it.pem"


@contextmanager
def opened(folder: Path) -> Iterator[World]:
    """A world of its own; the folder is for its certificate."""
    certificate = make_certificate(folder)
    http_a, http_b, https_a, https_b, mail = free_ports(5)
    with ExitStack() as stack:
        ports = [str(port) for port in (http_a, http_b, https_a, https_b)]
        entrances = Running([str(PEER), "entrances", *ports, str(certificate)])
        stack.callback(entrances.close)
        mails = Running([str(PEER), "mail", str(mail)])
        stack.callback(mails.close)
        doors = (Entrance("a", "127.0.0.1", http_a, https_a), Entrance("b", "127.0.0.1", http_b, https_b))
        yield World(entrances, mails, Access("docomo", 1.0, doors, ("127.0.0.1", mail)))


@pytest.fixture(scope="session")
def peers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with opened(tmp_path_factory.mktemp("certificate")) as world:
        yield world


@pytest.fixture
def world(peers: World) -> World:
    peers.reset()
    return peers


@pytest.fixture
def run_program() -> Iterator[Callable[[str, Path], Running]]:
    """Runs `python -m MODULE CONFIG`; whatever is left of it ends with the test."""
    with ExitStack() as stack:

        def run(module: str, config: Path) -> Running:
            running = Running(["-m", module, str(config)])
            stack.callback(running.close)
            return running

        yield run


def until(condition: Callable[[], bool], within_s: float, what: str) -> None:
    """Wait for a condition; fails with what was awaited."""
    deadline_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline_s, f"not within {within_s:g} s: {what}"
        threading.Event().wait(0.02)
