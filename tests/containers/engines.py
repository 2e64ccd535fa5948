"""Several engines on this machine, each with a network, an address and a data folder of its own, as one Swarm."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.name_programs import until

ANSWERS_WITHIN_S: Final = 60.0
ENDS_WITHIN_S: Final = 60.0
BRIDGE: Final = "engines"


@dataclass(frozen=True)
class Engine:
    """`address`: where the other engines reach it."""

    name: str
    socket: Path
    address: str

    def docker(self, *words: str, within_s: float = 120.0, stdin: bytes = b"") -> str:
        """What a command says that does what it is meant to; the test fails for one that does not."""
        done = subprocess.run(
            ["docker", "--host", f"unix://{self.socket}", *words],
            input=stdin,
            capture_output=True,
            timeout=within_s,
            check=False,
        )
        if done.returncode != 0:
            pytest.fail(f"{self.name}: docker {' '.join(words)}: {done.stderr.decode(errors='replace')}")
        return done.stdout.decode(errors="replace").strip()

    def answers(self) -> bool:
        command = ["docker", "--host", f"unix://{self.socket}", "version"]
        return subprocess.run(command, capture_output=True, timeout=30, check=False).returncode == 0


@contextmanager
def swarm(folder: Path, count: int) -> Iterator[tuple[Engine, ...]]:
    """Engines that are one Swarm, the first of them its manager. After it nothing of them is left."""
    if shutil.which("dockerd") is None:
        pytest.skip("no dockerd: an engine on another machine, or in a virtual one, starts none here")
    with ExitStack() as down:
        _ip("link", "add", BRIDGE, "type", "bridge")
        down.callback(_ip, "link", "del", BRIDGE)
        _ip("link", "set", BRIDGE, "up")
        engines = tuple(down.enter_context(_engine(folder, number)) for number in range(1, count + 1))
        manager, *others = engines
        manager.docker("swarm", "init", "--advertise-addr", manager.address)
        token = manager.docker("swarm", "join-token", "--quiet", "worker")
        for each in others:
            each.docker("swarm", "join", "--token", token, f"{manager.address}:2377")
        yield engines


@contextmanager
def _engine(folder: Path, number: int) -> Iterator[Engine]:
    name, home = f"engine-{number}", folder / f"engine-{number}"
    home.mkdir()
    engine = Engine(name, home / "socket", f"10.201.0.{number}")
    (home / "daemon.json").write_text(json.dumps({"no-new-privileges": True}))
    folders = [f"--{what}={home / what}" for what in ("data-root", "exec-root", "pidfile")]
    told = [f"--host=unix://{engine.socket}", f"--config-file={home / 'daemon.json'}"]
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            # `unshare` becomes the engine: its network is the engine's, and ends with it.
            ["unshare", "--net", "--", "dockerd", *folders, *told],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        until(engine.answers, f"{name} to answer", ANSWERS_WITHIN_S)
        _plug(process.pid, name, f"{engine.address}/24")
        yield engine
    finally:
        process.terminate()
        process.wait(ENDS_WITHIN_S)
        shutil.rmtree(home)


def _plug(pid: int, name: str, address: str) -> None:
    """Put a network on the bridge that all engines share. There is no way out of it."""
    _ip("link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", str(pid))
    _ip("link", "set", name, "master", BRIDGE, "up")
    inside = ("nsenter", f"--net=/proc/{pid}/ns/net", "ip")
    _done(*inside, "link", "set", "lo", "up")
    _done(*inside, "address", "add", address, "dev", "eth0")
    _done(*inside, "link", "set", "eth0", "up")


def _ip(*words: str) -> None:
    _done("ip", *words)


def _done(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
