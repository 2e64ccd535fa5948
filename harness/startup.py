"""Bringing nodes up: all of them, and until each says itself that it is healthy."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from harness import wide_area
from harness.faults import Stage
from harness.faults.looking import answer, each
from harness.rundir import RunDir
from harness.runtime import NodeFailed, Runtime
from topology.map import Map, Node

HEALTHY_WITHIN_S: Final = 120.0
LOOK_EVERY_S: Final = 0.15
LOOK_TIMEOUT_S: Final = 0.5
OBSERVERS: Final = "observers"

Progress = Callable[[int, int], None]  # nodes that are healthy, of how many


def stage(runtime: Runtime, topology: Map) -> Stage:
    """Where faults and start-up look from: the topology's first node of role `observers`."""
    return Stage(runtime, topology, topology.with_role(OBSERVERS)[0])


def bring_up(at: Stage, run: RunDir, progress: Progress, interrupted: Callable[[], bool]) -> None:
    """Start every node and return when all are healthy and the wide-area links have their length, or when interrupted.

    Nodes that are there only later are left out. Raises NodeFailed for a node that ends by itself or is not healthy in
    time.
    """
    started_s = time.monotonic()
    order = _order(at.topology)
    run.record("nodes.starting", nodes=[node.name for node in order])
    with ThreadPoolExecutor(max_workers=4) as pool:
        list(pool.map(at.runtime.start, order))
    waiting = list(order)
    while waiting and not interrupted():
        if time.monotonic() - started_s > HEALTHY_WITHIN_S:
            late = waiting[0]
            raise NodeFailed(late.name, f"not healthy after {HEALTHY_WITHIN_S:g} s", at.runtime.log(late))
        waiting = _still_waiting(at, run, waiting, started_s)
        progress(len(order) - len(waiting), len(order))
        if waiting:
            time.sleep(LOOK_EVERY_S)
    if not waiting:
        run.record("nodes.ready", seconds=round(time.monotonic() - started_s, 3))
        for link in wide_area.lengthen(at):
            run.record("link.lengthened", node=link.node, round_trip_s=link.round_trip_s)


def _still_waiting(at: Stage, run: RunDir, waiting: Sequence[Node], started_s: float) -> list[Node]:
    still = []
    seen = each(lambda node: answer(at, at.observer, node, LOOK_TIMEOUT_S), waiting)
    for node, word in zip(waiting, seen, strict=True):
        if word == "http 200":
            run.record("node.ready", node=node.name, seconds=round(time.monotonic() - started_s, 3))
        elif not at.runtime.alive(node):
            raise NodeFailed(node.name, "it ended instead of starting", at.runtime.log(node))
        else:
            still.append(node)
    return still


def _order(topology: Map) -> list[Node]:
    """What others wait for comes first: by the longest chain of `depends_on` that ends at a node."""
    depth: dict[str, int] = {}

    def needed(name: str) -> int:
        if name not in depth:
            users = [node.name for node in topology if name in node.depends_on]
            depth[name] = 1 + max((needed(user) for user in users), default=0)
        return depth[name]

    return sorted((node for node in topology if not node.later), key=lambda node: -needed(node.name))
