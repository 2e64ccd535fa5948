"""What measuring costs: the service's throughput with probes and history on, against the same without, in one run.

    python bench/measuring.py

Brings the replica up, then drives answers through the carriers' links as fast as they are taken, in pairs of
windows: measuring off, measuring on. Throughput is what the service serves, whoever asks: with measuring on the
probes are users like others, ninety pages a second, and each of their pages costs the service what a citizen's does.
What is left for the citizens alone is printed, too. Ratios are medians over the pairs.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
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
from harness.rundir.history import Operation, Writer, read
from harness.runtime import house
from harness.runtime.local import LocalRuntime
from harness.startup import bring_up, stage
from topology import map as topology_map
from topology.map import Node

PAIRS: Final = 6
WINDOW_S: Final = 6.0
WARM_S: Final = 1.5
AT_ONCE: Final = 24
#: What the probes ask the web nodes for; the feed and the mail go other ways.
PAGES: Final = ("read", "write", "login")


def main() -> int:
    if not house.inside():
        return house.enter([sys.executable, *sys.argv])
    with tempfile.TemporaryDirectory() as folder:
        return _bench(Path(folder))


def _bench(folder: Path) -> int:
    topology = topology_map.read(library.TOPOLOGY, (), {"CLOCK_SCALE": "60"}).only(["singapore"])
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
        off, on, probed = [], [], []
        for pair in range(PAIRS):
            off.append(_window(runtime, observers, links, list(tokens.values()), None)[0])
            measured = run.path / f"pair-{pair}"
            (measured / "history").mkdir(parents=True)
            (measured / "probes").mkdir()
            config = ProbeConfig.of(topology, load=load, tokens=tokens, folder=measured)
            path = run.write(f"pair-{pair}/probes.json", config.to_json())
            argv = ["python", "-m", "harness.probes", str(path)]
            probes = Program(runtime, observers, argv, measured / "probes.log")
            probes.wait_ready()
            driver = measured / "history" / "driver.arrow"
            rate, begins_ns, ends_ns = _window(runtime, observers, links, list(tokens.values()), driver)
            on.append(rate)
            probes.stop()
            probed.append(_pages(measured / "probes", begins_ns, ends_ns))
    finally:
        runtime.close()
    served = [citizens + pages for citizens, pages in zip(on, probed, strict=True)]
    print(f"served a second, measuring off:     {[round(rate) for rate in off]}")
    print(f"served a second, measuring on:      {[round(rate) for rate in served]}")
    print(f"  of these, pages of the probes:    {[round(rate) for rate in probed]}")
    print(
        f"throughput with measuring on: {_ratio(served, off):.1%} of that without (medians of {PAIRS} pairs)"
    )
    print(f"left for the citizens alone:  {_ratio(on, off):.1%}")
    return 0


def _ratio(some: Sequence[float], others: Sequence[float]) -> float:
    return statistics.median(one / other for one, other in zip(some, others, strict=True))


def _pages(folder: Path, begins_ns: int, ends_ns: int) -> float:
    """Pages a second that the probes were served between two instants."""
    rows = read(folder).select(["kind", "outcome", "completed_ns"]).to_pylist()
    served = [
        row
        for row in rows
        if row["kind"] in PAGES and row["outcome"] == "ok" and begins_ns <= row["completed_ns"] < ends_ns
    ]
    return len(served) / ((ends_ns - begins_ns) / 1e9)


def _window(
    runtime: LocalRuntime, place: Node, links: list[str], tokens: list[str], history: Path | None
) -> tuple[float, int, int]:
    """Acknowledged answers a second, driven from `place`, and from when to when (monotonic nanoseconds).

    Each operation is written down if there is a history.
    """
    with runtime.inside(place):
        return asyncio.run(_drive(links, tokens, history))


async def _drive(links: list[str], tokens: list[str], history: Path | None) -> tuple[float, int, int]:
    writer = Writer(history, vantages=links, endpoints=["a", "b"]) if history else None
    counted = [0]
    begins = time.monotonic() + WARM_S
    ends = begins + WINDOW_S

    async def citizen(number: int) -> None:
        value = version = 0
        while time.monotonic() < ends:
            value += 1
            turn = number + value
            link, entrance = links[turn % len(links)], turn % 2
            request = http1.answer(tokens[number], "anpi.example", value, "safe", "yes", version=version)
            started_ns = time.monotonic_ns()
            reply = await exchange(link, (8001, 8002)[entrance], request, 5.0)
            version = http1.seen_version(reply.body) or 0
            if writer:
                done_ns = time.monotonic_ns()
                outcome = "ok" if reply.status == 200 else "info"
                row = (started_ns, started_ns, done_ns, outcome, link, "ab"[entrance])
                writer.add(Operation(number, "answer", number, value, *row))
            counted[0] += reply.status == 200 and begins <= time.monotonic() < ends

    await asyncio.gather(*(citizen(number) for number in range(AT_ONCE)))
    if writer:
        writer.close()
    return counted[0] / WINDOW_S, int(begins * 1e9), int(ends * 1e9)


if __name__ == "__main__":
    sys.exit(main())
