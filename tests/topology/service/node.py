"""A node's program as a real process on loopback, and a plain HTTP client for it."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from tests.topology.service.postgres import free_port

KEY = "dGVzdC1vbmx5LTMyLWJ5dGVzLW9mLWtleS0tLTAwMDE="


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass
class Node:
    """One process of the service. `program` is a role, or a module with a variant of one; `words` are its arguments."""

    program: str
    environment: Mapping[str, str]
    log: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    words: tuple[str, ...] = ()

    def start(self) -> Node:
        program = [self.program] if "." in self.program else ["topology", self.program]
        argv = ["-m", *program, *self.words]
        environment = {**os.environ, **self.environment, "PORT": str(self.port), "BIND": "127.0.0.1"}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen([sys.executable, *argv], env=environment, stdout=log, stderr=log)
        return self

    def until_healthy(self) -> Node:
        until(self.healthy, 15, f"{self.program} is healthy", self.read_log)
        return self

    def healthy(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.read_log()
        try:
            return self.ask("GET", "/health").status == 200
        except OSError:
            return False

    def ask(
        self,
        method: str,
        path: str,
        form: Mapping[str, str] | bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """One request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        body = form if form is None or isinstance(form, bytes) else urlencode(form).encode()
        kind = {"Content-Type": "application/x-www-form-urlencoded"} if form is not None else {}
        try:
            connection.request(method, path, body, {**kind, **(headers or {})})
            answer = connection.getresponse()
            return Reply(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """Its exit status."""
        return self._end(signal.SIGTERM)

    def freeze(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def read_log(self) -> str:
        return self.log.read_text(errors="replace")

    def _end(self, number: int) -> int:
        if self.process is None:
            return 0
        self.process.send_signal(signal.SIGCONT)
        self.process.send_signal(number)
        status = self.process.wait(10)
        self.process = None
        return status


def run(
    program: str, environment: Mapping[str, str], *args: str, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    """An operator program, to its end."""
    return subprocess.run(
        [sys.executable, "-m", "topology", program, *args],
        env={**os.environ, **environment},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def until(condition: Callable[[], bool], within_s: float, what: str, told: Callable[[], str] = str) -> None:
    """Wait for it, or fail saying what was awaited."""
    deadline = time.monotonic() + within_s
    pause = 0.01
    while not condition():
        assert time.monotonic() < deadline, f"not within {within_s} s: {what}\n{told()}"
        time.sleep(pause)
        pause = min(pause * 1.5, 0.2)
