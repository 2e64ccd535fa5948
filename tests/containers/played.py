"""People on a stack: Locust's master and two workers, in containers of their own, one worker on each engine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from harness.commands.wanted import Wanted
from harness.load.config import MASTER_PORT, LoadConfig
from harness.rundir import history
from tests.containers.composed import IMAGE
from tests.containers.engines import Engine
from tests.containers.stacked import CLOCK, FABRIC, Deployed
from tests.name_programs import until
from topology.map import Map

PEOPLE: Final = 120
#: Where the master is found. The network's addresses are dealt out from below; nothing else has come so far.
MASTER: Final = "10.77.250.11"
#: All that a container of ours may write to.
FOLDER: Final = Path("/mnt/tmp")
READY_WITHIN_S: Final = 60.0
#: The slowest answers, after twelve hours of the drill, come within 36 s.
ANSWERED_WITHIN_S: Final = 100.0


def played(stack: Deployed) -> tuple[set[int], list[Any]]:
    """Everybody's numbers, and what each worker wrote down while they answered: the rows of its history."""
    plan, written = Wanted("calm", 1, None, (), ()).plan()
    config = LoadConfig.of(
        _where_they_are(written, stack),
        seed=plan.seed,
        clock=CLOCK,
        curve=plan.drill.curve,
        companies=4,
        people=PEOPLE,
        areas=plan.drill.areas,
        history=FOLDER,
        again=0.0,
    )
    population = config.population()
    stack.inside("web-a1", "python", "-m", "topology", "enrol", stdin=population.jsonl().encode())
    shares = [replace(each, master=(MASTER, MASTER_PORT)) for each in config.shared(2)]
    here = stack.engines[0]
    with ExitStack() as down, TemporaryDirectory() as folder:
        master = down.enter_context(_container(here, "harness.load.master", shares[0], "--ip", MASTER))
        workers = [
            (each, down.enter_context(_container(each, "harness.load", share)))
            for each, share in zip(stack.engines, shares, strict=True)
        ]
        until(lambda: "ready" in here.docker("logs", master), "all workers to play", READY_WITHIN_S)
        telegram = json.dumps(dict(plan.timeline[0].telegram), ensure_ascii=False).encode()
        stack.inside("agency", "python", "-m", "topology", "publish", stdin=telegram)
        until(lambda: _answered(here, master) == PEOPLE, "everybody's answer", ANSWERED_WITHIN_S)
        here.docker("stop", "--time", "20", master)
        found = []
        for number, (each, worker) in enumerate(workers):
            assert each.docker("wait", worker) == "0", each.docker("logs", worker)
            file = f"load-{number}.arrow"
            each.docker("cp", f"{worker}:{FOLDER / file}", folder)
            found.append(history.read(Path(folder) / file).to_pandas())
        assert here.docker("wait", master) == "0", here.docker("logs", master)
    return {person.number for person in population.people}, found


def _where_they_are(topology: Map, stack: Deployed) -> Map:
    """The same with the addresses that Swarm has given."""
    nodes = {
        name: replace(node, address=IPv4Address(stack.address(name))) for name, node in topology.nodes.items()
    }
    return replace(topology, nodes=nodes)


@contextmanager
def _container(at: Engine, module: str, config: LoadConfig, *options: str) -> Iterator[str]:
    """A program of the load on the network of the stack; its container is removed at the end."""
    told = FOLDER / "load.json"
    create = ("create", "--network", FABRIC, *options, IMAGE)
    identity = at.docker(*create, "python", "-m", module, str(told))
    try:
        with TemporaryDirectory() as folder:
            file = Path(folder) / told.name
            file.write_text(config.to_json())
            file.chmod(0o644)
            at.docker("cp", str(file), f"{identity}:{told}")
        at.docker("start", identity)
        yield identity
    finally:
        at.docker("rm", "--force", identity)


def _answered(at: Engine, master: str) -> int:
    last = at.docker("logs", "--tail", "1", master)
    return int(json.loads(last)["answered"]) if last.startswith("{") else 0
