from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

PATIENCE_S = 10


@pytest.fixture
def stand() -> Iterator[tuple[subprocess.Popen[str], int]]:
    command = [sys.executable, "-m", "topology", "stand"]
    with subprocess.Popen(command, env={"PORT": "0"}, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process, int(re.findall(r"http (\d+)", process.stdout.readline())[0])
        process.kill()


def test_it_says_that_it_is_well_and_nothing_else(stand: tuple[subprocess.Popen[str], int]) -> None:
    _, port = stand
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=PATIENCE_S) as reply:
        assert (reply.status, reply.read()) == (200, b"ok\n")
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=PATIENCE_S)


def test_one_who_says_nothing_does_not_hold_up_others(stand: tuple[subprocess.Popen[str], int]) -> None:
    _, port = stand
    with socket.create_connection(("127.0.0.1", port)) as silent:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=PATIENCE_S).close()
        silent.settimeout(PATIENCE_S)
        assert silent.recv(1) == b""


def test_it_goes_when_told_to(stand: tuple[subprocess.Popen[str], int]) -> None:
    process, _ = stand
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE_S) == 0
