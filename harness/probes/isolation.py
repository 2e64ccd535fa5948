"""`python -m harness.probes.isolation CONFIG.json`: observers of one company ask for another's data, until SIGTERM.

A program of its own that gives way to all others: when an attempt is made does not matter, only what comes of it. Every
entrance of every region is tried, of those that stand by as well, in plain http and in TLS (see `lanes`); what came of
it is in isolation.jsonl (see `attempts`).
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import uvloop

from harness import canaries
from harness.load.access import Entrance
from harness.load.config import LoadConfig
from harness.probes.attempts import FILE, Record
from harness.probes.intrusions import Intrusions, Target
from harness.probes.lanes import Lane, Timetable, way
from topology.map import Map

#: Attempts a second, of all lanes together: ten thousand in eighty seconds, which is less than any scenario lasts.
RATE: Final = 125.0
#: Connections by each way in: while a region holds one request, others go on beside it.
ABREAST: Final = 4
SAY_EVERY_S: Final = 1.0
_NICE: Final = 10


@dataclass(frozen=True)
class IsolationConfig:
    """Settings of the program: the run directory, the ways in, who asks for whose data, and how that is marked.

    `regions`: the names of the entrances, and the region that each leads to.
    """

    folder: Path
    entrances: tuple[Entrance, ...]
    regions: Mapping[str, str]
    target: Target
    mark: str
    seed: int
    rate: float = RATE

    @classmethod
    def of(cls, topology: Map, *, load: LoadConfig, token: str, folder: Path) -> IsolationConfig:
        """For a load with canaries. `token`: a link of the observer's own. Raises ValueError without two companies."""
        population = load.population()
        observer, other = canaries.observer(population), canaries.marked(population)
        of_each = [each.entrances for each in load.access]
        # Each entrance through another carrier's link.
        entrances = tuple(of_each[at % len(of_each)][at] for at in range(min(map(len, of_each))))
        regions = {str(node.address): node.region for node in topology.nodes.values()}
        return cls(
            folder=folder,
            entrances=entrances,
            regions={each.name: regions.get(each.to, "") for each in entrances},
            target=Target(
                company=observer.number,
                other=other.number,
                user=observer.admin,
                password=observer.password,
                people=tuple(each.number for each in population.people if each.company == other.number),
                token=token,
                key=topology.with_role("web")[0].environment["SESSION_KEY"],
                host=load.host,
            ),
            mark=load.canary,
            seed=load.seed,
        )

    def to_json(self) -> str:
        return json.dumps(asdict(self), default=str, indent=1)

    @classmethod
    def from_json(cls, text: str) -> IsolationConfig:
        """Raises ValueError, KeyError or TypeError for a file that is none."""
        data: dict[str, Any] = json.loads(text)
        data["folder"] = Path(data["folder"])
        data["entrances"] = tuple(Entrance(**each) for each in data["entrances"])
        data["target"] = Target(**{**data["target"], "people": tuple(data["target"]["people"])})
        return cls(**data)


async def intrude(config: IsolationConfig) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    marks = [mark(config.mark).encode() for mark in (canaries.name_mark, canaries.address_mark)]
    every = [(entrance, tls) for entrance in config.entrances for tls in (False, True)]
    ways = {way(entrance, tls=tls): config.regions[entrance.name] for entrance, tls in every}
    record = Record(config.folder / FILE, marks, ways)
    intrusions, signing_in = Intrusions(config.target, config.seed), asyncio.Lock()
    timetable = Timetable(config.rate)
    lanes = [
        Lane(entrance, intrusions, signing_in, record, tls=tls)
        for _ in range(ABREAST)
        for entrance, tls in every
    ]
    tasks = [asyncio.create_task(lane.go(timetable)) for lane in lanes]
    try:
        print("ready", flush=True)
        while not stop.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), SAY_EVERY_S)
            record.tell()
            for task in tasks:
                if task.done():
                    task.result()  # it never ends by itself: an error of ours ends the program
            with suppress(BrokenPipeError):
                print(json.dumps(record.total), flush=True)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for lane in lanes:
            lane.close()
        record.close()


def main() -> int:
    config = IsolationConfig.from_json(Path(sys.argv[1]).read_text())
    os.nice(_NICE)
    uvloop.run(intrude(config))
    return 0


if __name__ == "__main__":
    sys.exit(main())
