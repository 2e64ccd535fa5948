"""What measuring costs: the service's throughput with probes and history on, against the same without, in one run.

    python bench/measuring.py

Brings the replica up, then drives answers through the carriers' links as fast as they are taken, in pairs of
windows: measuring off, measuring on. Prints the ratio of the medians. Answers are acknowledged answers of the
driver; with measuring on the probes' own requests are served besides and not counted.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from harness import library
from harness.conductor import enrol
from harness.load import http1
from harness.load.config import LoadConfig
from harness.probes.config import ProbeConfig
from harness.probes.conversation import exchange
from harness.program import Program
from harness.rundir import Clock, RunDir
from harness.rundir.history import Operation, Writer
from harness.runtime.local import LocalRuntime, house
from harness.startup import bring_up, stage
from topology import map as topology_map
from topology.map import Node

PAIRS: Final = 4
WINDOW_S: Final = 6.0
WARM_S: Final = 1.5
AT_ONCE: Final = 24


def main() -> int:
    if not house.inside():
        return house.enter([sys.executable, *sys.argv])
    with tempfile.TemporaryDirectory() as folder:
        return _bench(Path(folder))


def _bench(folder: Path) -> int:
    topology = topology_map.read(library.TOPOLOGY, (), {"CLOCK_SCALE": "60"})
    run = RunDir.create(folder, "measuring", 1)
    run.clock = Clock.now(60)
    runtime = LocalRuntime()
    try:
        runtime.prepare(topology, run)
        at = stage(runtime, topology)
        bring_up(at, run, lambda _healthy, _of: None, lambda: False)
        load = LoadConfig.of(
            topology, seed=1, clock=60, curve="everyone-2019", companies=2, people=20, areas=("350",),
            history=run.path / "history",
        )  # fmt: skip
        tokens = enrol(at, run, load)
        links = [str(topology.nodes[carrier.link].address) for carrier in topology.carriers.values()]
        (observers,) = topology.with_role("observers")
        off, on = [], []
        for _ in range(PAIRS):
            off.append(_window(runtime, observers, links, list(tokens.values()), None))
            config = ProbeConfig.of(topology, load=load, tokens=tokens, folder=run.path)
            path = run.write("probes.json", config.to_json())
            probes = Program(
                runtime, observers, ["python", "-m", "harness.probes", str(path)], run.path / "probes.log"
            )
            probes.wait_ready()
            on.append(
                _window(
                    runtime, observers, links, list(tokens.values()), run.path / "history" / "driver.arrow"
                )
            )
            probes.stop()
    finally:
        runtime.close()
    ratio = statistics.median(on) / statistics.median(off)
    print(f"answers a second, measuring off: {[round(rate) for rate in off]}")
    print(f"answers a second, measuring on:  {[round(rate) for rate in on]}")
    print(f"throughput with measuring on: {ratio:.1%} of that without (medians of {PAIRS} pairs)")
    return 0


def _window(
    runtime: LocalRuntime, place: Node, links: list[str], tokens: list[str], history: Path | None
) -> float:
    """Acknowledged answers a second, driven from `place`; each operation is written down if there is a history."""
    with runtime.inside(place):
        return asyncio.run(_drive(links, tokens, history))


async def _drive(links: list[str], tokens: list[str], history: Path | None) -> float:
    writer = Writer(history, vantages=links, endpoints=["a", "b"]) if history else None
    counted = [0]
    begins = time.monotonic() + WARM_S
    ends = begins + WINDOW_S

    async def citizen(number: int) -> None:
        value = 0
        while (now := time.monotonic()) < ends:
            value += 1
            turn = number + value
            link, entrance = links[turn % len(links)], turn % 2
            request = http1.answer(tokens[number], "anpi.example", value, "safe", "yes")
            started_ns = time.monotonic_ns()
            reply = await exchange(link, (8001, 8002)[entrance], request, 5.0)
            if writer:
                done_ns = time.monotonic_ns()
                outcome = "ok" if reply.status == 200 else "info"
                row = (started_ns, started_ns, done_ns, outcome, link, "ab"[entrance])
                writer.add(Operation(number, "answer", number, value, *row))
            counted[0] += reply.status == 200 and now >= begins

    await asyncio.gather(*(citizen(number) for number in range(AT_ONCE)))
    if writer:
        writer.close()
    return counted[0] / WINDOW_S


if __name__ == "__main__":
    sys.exit(main())
