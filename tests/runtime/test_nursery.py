"""Nodes of the local runtime that are forks of what was loaded once: as good as with a Python of their own."""

from __future__ import annotations

import json
import os
import shlex
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from harness.rundir import RunDir
from harness.runtime import NodeFailed
from harness.runtime.local import LocalRuntime
from harness.runtime.local.process import environment, modules
from tests.topology.service.node import until
from topology import map as topology
from topology.map import Map, Node

pytestmark = pytest.mark.fabric

ROOT = Path(__file__).parents[2]

#: `timeit` is a module that runs what it is told to.
RUN = ("-m", "timeit", "-n1", "-r1")
TELL = """
import json, os, random, resource, signal, sys, tempfile
here = "/proc/self"
print(json.dumps({
    "pid": os.getpid(), "cwd": os.getcwd(), "argv": sys.argv, "path": sys.path, "chance": random.random(),
    "environment": dict(os.environ), "scratch": tempfile.gettempdir(), "session": os.getsid(0),
    "host": os.uname().nodename,
    "open": sorted(int(name) for name in os.listdir(here + "/fd") if os.path.exists(here + "/fd/" + name)),
    "signals": {name.name: str(signal.getsignal(name)) for name in (signal.SIGTERM, signal.SIGCHLD, signal.SIGPIPE)},
    "processes": sorted(int(name) for name in os.listdir("/proc") if name.isdigit()),
    "limit": resource.getrlimit(resource.RLIMIT_NOFILE), "main": sys.modules["__main__"].__spec__.name,
}), flush=True)
"""


@pytest.fixture
def runtime(small_map: Map, tmp_path: Path) -> Iterator[LocalRuntime]:
    runtime = LocalRuntime()
    runtime.prepare(small_map, RunDir.create(tmp_path, "nursery", 1))
    yield runtime
    runtime.close()


def told(runtime: LocalRuntime, node: Node) -> dict[str, object]:
    """What it printed first."""
    runtime.start(node)
    until(lambda: not runtime.alive(node), 10, "it has ended", lambda: str(runtime.log(node)))
    line = next(line for line in runtime.log(node) if line.startswith("{"))
    row = json.loads(line)
    assert isinstance(row, dict)
    return row


def test_it_is_what_a_python_of_its_own_would_be(runtime: LocalRuntime, small_map: Map) -> None:
    born = replace(small_map.nodes["a1"], command=("python", *RUN, TELL))
    started = replace(
        small_map.nodes["a2"], command=("sh", "-c", f"exec {shlex.join([sys.executable, *RUN, TELL])}")
    )
    one, other = told(runtime, born), told(runtime, started)
    assert one.pop("environment") == environment(born)
    assert {**environment(started)}.items() <= dict(other.pop("environment")).items()  # type: ignore[call-overload]
    assert one.pop("host") == "a1"
    assert other.pop("host") == "a2"
    assert one.pop("chance") != other.pop("chance")
    assert one["pid"] == 1
    assert one == other


def test_two_of_them_have_nothing_in_common_by_chance(runtime: LocalRuntime, small_map: Map) -> None:
    rows = [
        told(runtime, replace(small_map.nodes[name], command=("python", *RUN, TELL))) for name in ("a1", "a2")
    ]
    assert rows[0]["chance"] != rows[1]["chance"]


def test_how_it_ended_is_in_its_log(runtime: LocalRuntime, small_map: Map) -> None:
    node = replace(small_map.nodes["a1"], command=("python", "-m", "nowhere.at_all"))
    runtime.start(node)
    until(lambda: not runtime.alive(node), 10, "it has ended")
    assert "No module named 'nowhere'" in runtime.log(node)[-1]


def test_nodes_outlive_it_and_what_it_cannot_start_is_told(runtime: LocalRuntime, small_map: Map) -> None:
    server, other = (
        replace(small_map.nodes[name], command=("python", "-m", "http.server", "8000"))
        for name in ("a1", "b1")
    )
    runtime.start(server)
    assert runtime._nursery is not None
    os.kill(runtime._nursery._process.pid, signal.SIGKILL)
    runtime._nursery._process.wait()
    assert runtime.alive(server)
    with pytest.raises(NodeFailed, match=r"b1: its namespaces could not be made: the nursery"):
        runtime.start(other)
    runtime.kill(server)
    assert not runtime.alive(server)


def test_what_speaks_to_an_interpreter_as_it_starts_is_heard(runtime: LocalRuntime, small_map: Map) -> None:
    node = replace(small_map.nodes["a1"], command=("python", *RUN, TELL), environment={"PYTHONSAFEPATH": "1"})
    assert "/mnt/tmp" not in str(told(runtime, node)["path"])


def test_what_is_loaded_is_what_the_nodes_are_made_of() -> None:
    loaded = modules(topology.read(ROOT / "docker-compose.multi-region.yml"))
    assert {"topology.service.web", "topology.world.agency", "topology.platform.consensus"} <= loaded
    assert "topology" not in loaded
    assert "topology.platform.database" not in loaded, "PostgreSQL's user is another one"
