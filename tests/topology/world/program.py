"""The world's programs as real processes on loopback."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

PATIENCE_S = 20.0


class Program:
    """A program that can be killed, and started again on its old disk and its old ports."""

    def __init__(self, module: str, data: Path, under: Sequence[str] = (), **environment: str) -> None:
        """`under`: the words of a program that runs it, such as `unshare --user`."""
        self.data = data
        self._under = under
        self._module = module
        ports = {"PORT": "0", "SMTP_PORT": "0", "DNS_PORT": "0"}
        self._environment = {**ports, "CLOCK_SCALE": "600", **environment}
        self.said: list[str] = []
        self.start()

    def start(self) -> None:
        variables = {**os.environ, **self._environment, "DATA": str(self.data), "PYTHONUNBUFFERED": "1"}
        command = [*self._under, sys.executable, "-m", self._module]
        self.process = subprocess.Popen(
            command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        ready = self._read()
        for name, port in re.findall(r"(http|smtp|dns) (\d+)", ready):
            self._environment["PORT" if name == "http" else f"{name.upper()}_PORT"] = port
        threading.Thread(target=self._listen, args=(self.process,), daemon=True).start()

    def _read(self) -> str:
        assert self.process.stdout is not None
        seen = []
        for line in self.process.stdout:
            seen.append(line)
            if line.startswith("ready:"):
                return line
        raise AssertionError(f"{self._module} did not start: {''.join(seen)}")

    def _listen(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        self.said.extend(process.stdout)

    @property
    def http_port(self) -> int:
        return int(self._environment["PORT"])

    @property
    def smtp_port(self) -> int:
        return int(self._environment["SMTP_PORT"])

    @property
    def port(self) -> int:
        return int(self._environment["PORT"])

    @property
    def dns_port(self) -> int:
        return int(self._environment["DNS_PORT"])

    def kill(self) -> None:
        """As a power loss does it."""
        self.process.kill()
        self.process.wait(PATIENCE_S)

    def stop(self) -> float:
        """As an operator does it; the seconds that it took."""
        began = time.monotonic()
        self.process.terminate()
        assert self.process.wait(PATIENCE_S) == 0
        return time.monotonic() - began

    def get(self, path: str) -> Any:
        return self.ask(path)[1]

    def ask(self, path: str, body: bytes | None = None, method: str | None = None) -> tuple[int, Any]:
        """Status and JSON. A refused connection raises OSError."""
        try:
            with self._open(path, body, method) as reply:
                return reply.status, _json(reply.read())
        except urllib.error.HTTPError as error:
            return error.code, _json(error.read())

    def _open(self, path: str, body: bytes | None = None, method: str | None = None) -> HTTPResponse:
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", body, method=method)
        reply = urllib.request.urlopen(request, timeout=PATIENCE_S)  # noqa: S310 - it is a program of ours
        assert isinstance(reply, HTTPResponse)
        return reply

    def journal(self, leg: str) -> list[dict[str, Any]]:
        path = self.data / "journal" / f"{leg}.jsonl"
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]

    def notices(self, after: int = 0, to: str = "") -> Iterator[dict[str, Any] | None]:
        """The stream, line by line; None for a heartbeat."""
        with self._open(f"/notices?after={after}" + (f"&to={to}" if to else "")) as stream:
            for line in stream:
                yield json.loads(line) if line.strip() else None


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body.decode()


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for something that must come."""
    deadline = time.monotonic() + PATIENCE_S
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, f"waited {PATIENCE_S} s in vain for: {what}"
        pause.wait(0.01)


def message(number: int, to: str = "", **fields: object) -> dict[str, object]:
    """A mail of the service, as it submits it."""
    return {
        "id": f"1.{number}.7@anpi.example",
        "to": to or f"p{number}@docomo.example",
        "from": "安否確認 <anpi@anpi.example>",
        "subject": f"安否確認 {number}",
        "text": f"https://anpi.example/a/{number:032x}\n",
        "headers": {"X-Event": "20260115144640"},
        **fields,
    }


def request(*messages: object) -> bytes:
    return json.dumps({"messages": messages}).encode()
