from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    ("role", "settings", "status", "said"),
    [
        (
            "mail-provider",
            {"MAIL_ROUTES": "x"},
            2,
            "cannot start: MAIL_ROUTES: expected domain=host:port, found 'x'",
        ),
        ("agency", {"FEEDS": "feed-a"}, 2, "cannot start: FEEDS: expected host:port, found 'feed-a'"),
        ("carrier-mail", {"PORT": "taken"}, 1, "address already in use"),
        ("carrier-mail", {"DATA": "/proc/nowhere"}, 1, "No such file or directory: '/proc/nowhere'"),
    ],
)
def test_what_keeps_a_program_from_starting_is_said_in_one_line(
    tmp_path: Path, role: str, settings: dict[str, str], status: int, said: str
) -> None:
    with socket.create_server(("0.0.0.0", 0)) as other:
        taken = str(other.getsockname()[1])
        variables = {"DATA": str(tmp_path), "PORT": "0", "SMTP_PORT": "0", **settings}
        variables = {name: taken if value == "taken" else value for name, value in variables.items()}
        command = [sys.executable, "-m", "topology", role]
        done = subprocess.run(
            command, env={**os.environ, **variables}, capture_output=True, text=True, timeout=20, check=False
        )
    assert done.returncode == status
    (line,) = done.stdout.splitlines()
    assert said in line
    assert done.stderr == ""
