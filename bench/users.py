"""What the simulated users cost: CPU per operation of the load, and of the probes per second.

    python bench/users.py [--people 4000] [--seconds 10]

Both run as in a drill, against peers on loopback that answer at once. Their start is not counted; the probes' watching
of databases is left out.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
from dataclasses import replace
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from harness.load.config import LoadConfig  # noqa: E402
from harness.probes.config import Login, ProbeConfig  # noqa: E402
from harness.probes.door import Door  # noqa: E402
from harness.rundir import history  # noqa: E402
from tests.harness.load.world import Running, World, opened  # noqa: E402

CARRIERS = ("docomo", "au", "softbank")


def cpu_s(program: Running) -> float:
    times = psutil.Process(program.process.pid).cpu_times()
    return float(times.user + times.system)


def watch(program: Running, folder: Path, seconds: float) -> tuple[int, float]:
    """Operations written down, and CPU seconds used, within that time."""
    rows, used_s = len(history.read(folder)), cpu_s(program)
    threading.Event().wait(seconds)
    return len(history.read(folder)) - rows, cpu_s(program) - used_s


def load(world: World, folder: Path, people: int, tls: float, seconds: float) -> str:
    (folder / "history").mkdir(parents=True)
    config = LoadConfig(
        1, 600.0, "everyone-2019", 20, people, ("350",), (world.access,), folder / "history", tls=tls
    )
    (folder / "load.json").write_text(config.to_json())
    program = Running(["-m", "harness.load", str(folder / "load.json")])
    world.reset()
    world.mail_to({one.address: f"t{one.number:031d}" for one in config.population().people})
    operations, used_s = watch(program, config.history, seconds)
    program.terminate()
    rate = operations / seconds
    return f"load, {tls:.0%} in TLS: {rate:.0f} operations/s, {used_s / operations * 1e3:.2f} ms CPU each"


def probes(world: World, folder: Path, seconds: float) -> str:
    (folder / "probes").mkdir(parents=True)
    mail = (Door("mail", *world.access.mail),)
    config = ProbeConfig(
        folder=folder,
        access=tuple(replace(world.access, carrier=carrier) for carrier in CARRIERS),
        people={
            name: tuple((100 * n + k, f"{n:02d}{k:030d}") for k in range(32))
            for n, name in enumerate(CARRIERS)
        },
        login=Login(1, "admin", "right"),
        feed_apis=mail,
        mail_providers=mail,
        databases=(),
        database_password="",
        consensus=(),
    )
    (folder / "probes.json").write_text(config.to_json())
    program = Running(["-m", "harness.probes", str(folder / "probes.json")])
    operations, used_s = watch(program, folder / "probes", seconds)
    program.terminate()
    return f"probes: {operations / seconds:.0f}/s, {used_s / seconds:.1%} of a core"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--people", type=int, default=4000)
    parser.add_argument("--seconds", type=float, default=10.0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, opened(Path(name)) as world:
        for tls in (0.0, 0.1, 1.0):
            print(load(world, Path(name) / f"load-{tls}", given.people, tls, given.seconds), flush=True)
        print(probes(world, Path(name) / "probes", given.seconds), flush=True)


if __name__ == "__main__":
    main()
