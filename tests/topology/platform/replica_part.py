"""A part of the replica brought up for a test: some of its nodes, and a place to look at them from."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from harness.rundir import RunDir
from harness.runtime.local import LocalRuntime
from topology.map import Map, Node

LOOK_EVERY_S = 0.05


@dataclass(frozen=True)
class Part:
    """`here` is the node that tests look from."""

    runtime: LocalRuntime
    topology: Map
    here: Node
    run: RunDir

    def node(self, name: str) -> Node:
        return self.topology.nodes[name]

    def connect(self, target: Node, port: int, timeout_s: float = 1.0) -> http.client.HTTPConnection:
        """Raises OSError as any client would see it."""
        with self.runtime.inside(self.here):
            connection = http.client.HTTPConnection(str(target.address), port, timeout=timeout_s)
            connection.connect()
        return connection

    def get(self, target: Node, port: int, path: str, timeout_s: float = 1.0) -> tuple[int, bytes]:
        """Status and body; (0, b"") if there is no answer."""
        with suppress(OSError, http.client.HTTPException):
            connection = self.connect(target, port, timeout_s)
            try:
                connection.request("GET", path)
                response = connection.getresponse()
                return response.status, response.read()
            finally:
                connection.close()
        return 0, b""

    def healthy(self, target: Node) -> bool:
        port, _, path = target.health.partition("/")
        return self.get(target, int(port), f"/{path}")[0] == 200

    def await_healthy(self, targets: Iterable[Node], within_s: float) -> None:
        for target in targets:
            eventually(lambda target=target: self.healthy(target), f"{target.name} is healthy", within_s)  # type: ignore[misc]

    def volume(self, name: str) -> Path:
        return self.run.path / "local" / "volumes" / name


@contextmanager
def brought_up(topology: Map, nodes: Iterable[Node], folder: Path) -> Iterator[Part]:
    """These nodes of a topology, started if they are there at first, and the observers' node to look from."""
    here = replace(topology.nodes["observers"], command=("sleep", "infinity"))
    chosen = {node.name: node for node in (*nodes, here)}
    chosen_map = replace(topology, nodes=chosen)
    run = RunDir.create(folder / "runs", "platform", 1)
    runtime = LocalRuntime()
    runtime.prepare(chosen_map, run)
    try:
        for node in chosen_map:
            if not node.later:
                runtime.start(node)
        yield Part(runtime, chosen_map, here, run)
    finally:
        runtime.close()


def eventually(condition: Callable[[], bool], what: str, within_s: float) -> float:
    """How many seconds it took until the condition held."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > within_s:
            pytest.fail(f"not within {within_s:g} s: {what}")
        time.sleep(LOOK_EVERY_S)
    return time.monotonic() - began
