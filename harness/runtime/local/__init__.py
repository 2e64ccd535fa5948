"""The local runtime: every node is a set of processes in namespaces of its own on this machine."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

from harness.failure import TROUBLES, Failure
from harness.rundir import RunDir
from harness.runtime import Completed, NodeFailed, namespaces
from harness.runtime.enclosures import Enclosures, refusal
from harness.runtime.enclosures.failing import Enclosing
from harness.runtime.local.fabric import Fabric
from harness.runtime.local.process import NodeProcess, environment, furniture, module, modules, python
from harness.runtime.nursery import Birth, Nursery
from harness.runtime.spawning import spawn
from topology.map import Map, Node

STOPS_WITHIN_S: Final = 10.0
#: Who a node's programs can be; some look their user up before they start.
PASSWD: Final = "root:x:0:0::/root:/bin/sh\nnode:x:1000:1000::/mnt/tmp:/bin/sh\n"


class LocalRuntime(Enclosing):
    """Nodes as namespaces and processes. Satisfies `Runtime`, `Pauses`, `Cuts`, `Enclosures` and `Foresees`.

    Meant to be used inside a house (`house.enter`), which ends everything when the harness ends.
    """

    name = "local"

    def __init__(self, stops_within_s: float = STOPS_WITHIN_S) -> None:
        """A node that was asked to stop is killed when it has not ended by itself within that time."""
        super().__init__()
        self._stops_within_s = stops_within_s
        self._lives: dict[str, NodeProcess] = {}
        #: Nodes whose program is a Python module are born there.
        self._nursery: Nursery | None = None
        self._troubled: set[str] = set()

    def prepare(self, topology: Map, run: RunDir) -> None:
        self._run = run
        if wanted := modules(topology):
            self._nursery = self._loaded(wanted)  # while the rest is made ready
        self._fabric = Fabric(topology)
        self._etc = run.path / "local" / "etc"
        self._topology = topology
        self._enclosures: Enclosures = Enclosures(run.path / "local", topology, self._troubled)
        if self._enclosures.names:
            made, why = self._enclosures.storage.kind, self._enclosures.why
            run.record("enclosures.made", storage=made, why=why, enclosures=[*self._enclosures.names])
        names = "".join(f"{node.address} {node.name}\n" for node in topology)
        run.write("local/etc/hosts", f"127.0.0.1 localhost\n{names}")
        run.write("local/etc/passwd", PASSWD)
        for node in topology:
            for number, config in enumerate(node.configs):
                run.write(f"local/configs/{node.name}/{number}", config.content)

    def start(self, node: Node) -> None:
        with self._lock:
            self._wanted.add(node.name)
            if self.alive(node):
                return
            self._enclosures.refuse(node)
            configs = self._run.path / "local" / "configs" / node.name
            volumes, hidden = self._enclosures.volumes(), self._enclosures.storage.hidden()
            furnish = furniture(node, self._etc, volumes, configs, hidden)
            self._lives[node.name] = self._begun(node, furnish)
            self._fabric.plug(node)

    def _begun(self, node: Node, furnish: str) -> NodeProcess:
        log, variables = self._log(node), self._environment(node)
        if (program := module(node, variables)) is not None:
            self._nursery = self._nursery or self._loaded(modules([node]))
            birth = Birth(furnish, *program, variables)
            return NodeProcess.born(node, self._nursery, birth, self._fabric.namespace(node), log)
        with self.inside(node):
            return NodeProcess.started(node, furnish, log, variables)

    def _loaded(self, wanted: Collection[str]) -> Nursery:
        log = self._run.path / "local" / "nursery.log"
        log.parent.mkdir(exist_ok=True)
        return Nursery(wanted, log)

    def stop(self, node: Node) -> None:
        with self._lock:
            self._wanted.discard(node.name)
            life = self._lives.pop(node.name, None)
        if life is None:
            return
        life.signal(signal.SIGTERM)
        if not life.end(self._stops_within_s):
            life.kill()

    def kill(self, node: Node) -> int:
        with self._lock:
            self._wanted.discard(node.name)
        return self._end(node)

    def _end(self, node: Node) -> int:
        with self._lock:
            # First the cable, so that not even the kernel's own resets are heard from it.
            self._fabric.unplug(node)
            silent_ns = time.monotonic_ns()
            life = self._lives.pop(node.name, None)
        if life is not None:
            life.kill()
        return silent_ns

    def alive(self, node: Node) -> bool:
        life = self._lives.get(node.name)
        return life is not None and life.alive()

    def exec(self, node: Node, argv: Sequence[str], timeout_s: float, stdin: bytes = b"") -> Completed:
        life = self._life(node)
        enter = ["nsenter", f"--target={life.init}", "--net", "--mount", "--pid", "--ipc", "--uts"]
        try:
            done = subprocess.run(
                [*enter, *python(argv)],
                input=stdin,
                capture_output=True,
                timeout=timeout_s,
                env=self._environment(node),
                check=False,
            )
        except subprocess.TimeoutExpired as expired:
            raise TimeoutError(
                f"{node.name}: {' '.join(argv)} did not end within {timeout_s:g} s"
            ) from expired
        return Completed(done.returncode, done.stdout, done.stderr)

    def spawn(self, node: Node, argv: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
        with self.inside(node):
            return spawn(argv, log)

    def inside(self, node: Node) -> AbstractContextManager[None]:
        return namespaces.network(self._fabric.namespace(node))

    def log(self, node: Node, lines: int = 20) -> list[str]:
        path = self._log(node)
        return path.read_text(errors="replace").splitlines()[-lines:] if path.exists() else []

    def volume(self, name: str) -> Path:
        return self._enclosures.volumes()[name]

    def close(self) -> None:
        with self._lock:
            lives, self._lives = list(self._lives.values()), {}
        for life in lives:
            life.signal(signal.SIGKILL)
        for life in lives:
            life.kill()
        if self._nursery is not None:
            self._nursery.close()
            self._nursery = None
        if hasattr(self, "_enclosures"):
            self._enclosures.storage.close()
        if hasattr(self, "_fabric"):
            self._fabric.close()
            del self._fabric

    # -- Pauses ------------------------------------------------------------------------------------------------

    def pause(self, node: Node) -> None:
        self._life(node).pause()

    def resume(self, node: Node) -> None:
        life = self._lives.get(node.name)
        if life is not None:
            life.resume()

    # -- Cuts --------------------------------------------------------------------------------------------------

    def cut(self, sources: Sequence[Node], targets: Sequence[Node]) -> None:
        with self._lock:
            self._fabric.cut(sources, targets)

    def join(self, sources: Sequence[Node], targets: Sequence[Node]) -> None:
        with self._lock:
            self._fabric.join(sources, targets)

    # -- Enclosures --------------------------------------------------------------------------------------------

    def refuses_failure(self, how: Failure) -> str:
        return refusal(how)

    def foresee_failure(self, enclosure: str, how: Failure) -> None:
        if how in TROUBLES:
            self._troubled.add(enclosure)

    def _environment(self, node: Node) -> dict[str, str]:
        return {**environment(node), **self._enclosures.environment(node)}

    def _life(self, node: Node) -> NodeProcess:
        life = self._lives.get(node.name)
        if life is None or not life.alive():
            raise NodeFailed(node.name, "it is not running", self.log(node))
        return life

    def _log(self, node: Node) -> Path:
        return self._run.path / "nodes" / f"{node.name}.log"
