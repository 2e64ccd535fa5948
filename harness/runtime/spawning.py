"""Starting programs of the harness itself."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path


def spawn(argv: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
    """Start one where the calling thread stands: stdout is a pipe, stderr goes to `log`."""
    command = [sys.executable, *argv[1:]] if argv[0] == "python" else list(argv)
    with log.open("ab") as errors:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            start_new_session=True,
        )
