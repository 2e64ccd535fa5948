"""Failing and repairing storage enclosures, alike in every runtime that has them."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from harness.failure import TROUBLES, Failure
from harness.rundir import RunDir
from harness.runtime import NodeFailed
from harness.runtime.enclosures import Enclosures
from topology.map import Map, Node


class Enclosing:
    """Part of a runtime: with `refuses_failure`, it satisfies `Enclosures`."""

    _run: RunDir
    _topology: Map
    #: None: there are none that could fail, and `refuses_failure` says why.
    _enclosures: Enclosures | None

    def __init__(self) -> None:
        #: Who is to be up, whatever became of it.
        self._wanted: set[str] = set()
        self._lock = threading.RLock()

    def start(self, node: Node) -> None:
        raise NotImplementedError

    def alive(self, node: Node) -> bool:
        raise NotImplementedError

    def _end(self, node: Node) -> int:
        """Kill it; it is still to be up. Gives the instant since which nothing reaches it."""
        raise NotImplementedError

    def refuses_failure(self, how: Failure) -> str:
        raise NotImplementedError

    def fail_enclosure(self, enclosure: str, how: Failure) -> int | None:
        with self._lock:
            made = self._made(enclosure, how)
            if not made.fail(enclosure, how):
                return None
            on_it = self._topology.on_enclosure(enclosure)
            killed = [] if made.outlived(how) else [node for node in on_it if self.alive(node)]
        silent_ns = None
        if killed:  # all at once, as what they stand on goes
            with ThreadPoolExecutor(max_workers=len(killed)) as pool:
                silent_ns = max(pool.map(self._end, killed))
        names = [node.name for node in killed]
        self._run.record(
            "enclosure.failed", enclosure=enclosure, how=how.value, storage=made.storage.kind, killed=[*names]
        )
        return silent_ns

    def repair_enclosure(self, enclosure: str) -> None:
        with self._lock:
            made = self._enclosures
            how = made.failure(enclosure) if made is not None else None
            if made is None or how is None:
                return
            on_it = self._topology.on_enclosure(enclosure)
            for node in on_it if how not in TROUBLES else ():
                self._end(node)
            made.repair(enclosure)
            started = [node for node in on_it if node.name in self._wanted and not self.alive(node)]
            for node in started:
                self.start(node)
        self._run.record("enclosure.repaired", enclosure=enclosure, started=[node.name for node in started])

    def _made(self, enclosure: str, how: Failure) -> Enclosures:
        if self._enclosures is None:
            raise NodeFailed(enclosure, f"it cannot be made {how.value} here: {self.refuses_failure(how)}")
        return self._enclosures
