"""A program of the harness that stands among the nodes: the load, or the probes, while it works."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from harness.rundir import Json
from harness.runtime import NodeFailed, Runtime
from topology.map import Node

READY_WITHIN_S: Final = 30.0
FLUSHES_WITHIN_S: Final = 15.0


class Program:
    """It prints `ready`, then once a second a JSON object of what it sees."""

    def __init__(self, runtime: Runtime, node: Node, argv: Sequence[str], log: Path) -> None:
        self.name = argv[2]
        self._log = log
        self._process = runtime.spawn(node, argv, log)
        self._ready = threading.Event()
        self._latest: Mapping[str, Json] = {}
        self._reader = threading.Thread(target=self._read, name=self.name, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.strip() == b"ready":
                self._ready.set()
                continue
            try:
                row = json.loads(line)
            except ValueError:
                continue
            if isinstance(row, dict):
                self._latest = row

    @property
    def latest(self) -> Mapping[str, Json]:
        """What it last said; empty before it said anything."""
        return self._latest

    def alive(self) -> bool:
        return self._process.poll() is None

    def wait_ready(self) -> None:
        """Raises NodeFailed if it ends or is silent instead."""
        deadline = time.monotonic() + READY_WITHIN_S
        while not self._ready.wait(0.05):
            if not self.alive() or time.monotonic() > deadline:
                raise NodeFailed(self.name, "it did not become ready", self.log())

    def stop(self) -> bool:
        """Ask it to write down what it has and end. Whether it did."""
        if self.alive():
            self._process.send_signal(signal.SIGTERM)
        try:
            status = self._process.wait(FLUSHES_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            return False
        self._reader.join()
        return status == 0

    def log(self, lines: int = 20) -> list[str]:
        return self._log.read_text(errors="replace").splitlines()[-lines:] if self._log.exists() else []
