"""The docker runtime: every node is a container of an engine on this machine."""

from __future__ import annotations

import subprocess
import threading
from collections import defaultdict
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

import docker

from harness.rundir import RunDir
from harness.runtime import CannotRun, Completed, NodeFailed, namespaces
from harness.runtime.docker import images, labels, networking, reaper
from harness.runtime.docker.container import Container
from harness.runtime.docker.engine import address, asked, reach
from harness.runtime.docker.nearness import hindrance
from harness.runtime.docker.neighbours import Neighbours
from harness.runtime.docker.removal import remove_all
from harness.runtime.docker.site import Site
from harness.runtime.docker.watch import Watch
from harness.runtime.spawning import spawn
from topology.map import Map, Node

STOPS_WITHIN_S: Final = 10.0
GONE_WITHIN_S: Final = 30.0


class DockerRuntime:
    """Nodes as containers. Satisfies `Runtime`, `Breaks`, `Pauses` and `Cuts`.

    All that it makes bears the labels of the run; a reaper removes it should the harness not come to.
    """

    name = "docker"

    def __init__(self, stops_within_s: float = STOPS_WITHIN_S) -> None:
        """A node that was asked to stop is killed when it has not ended by itself within that time."""
        self._stops_within_s = stops_within_s
        self._site: Site | None = None
        self._containers: dict[str, Container] = {}
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def prepare(self, topology: Map, run: RunDir) -> None:
        """Raises CannotRun for an engine or a machine on which this cannot run, and for what is missing or taken."""
        engine = checked(topology)
        for image in images.stand_ins(engine, topology):
            run.record(
                "image.stands-in", image=image, why="upstream's could not be made: the project's own drop-in"
            )
        self._watch = Watch(engine)
        session = reaper.session()
        self._site = Site(
            engine=engine,
            at=address(),
            prefix=f"{topology.name}-{session}-{run.path.name}".replace(" ", "-").lower(),
            marks=labels.of(run, session),
            names={node.name: str(node.address) for node in topology},
            logs=run.path / "nodes",
            neighbours=Neighbours(topology),
        )
        networking.create(engine, topology, self._site.network, self._site.marks)
        for name in {volume.name for node in topology for volume in node.volumes}:
            with asked(f"make the volume {name}"):
                engine.api.create_volume(self._site.volume(name), labels=dict(self._site.marks))

    def start(self, node: Node) -> None:
        with self._locks[node.name]:
            made = self._containers.get(node.name)
            if made is not None and made.node != node and not made.alive():
                made.remove()
                made = None
            if made is None:
                assert self._site is not None
                made = self._containers[node.name] = Container(self._site, node)
        made.start()

    def stop(self, node: Node) -> None:
        if made := self._containers.get(node.name):
            made.stop(self._stops_within_s)

    def kill(self, node: Node) -> None:
        if made := self._containers.get(node.name):
            made.kill()

    def alive(self, node: Node) -> bool:
        made = self._containers.get(node.name)
        return made is not None and made.alive()

    def exec(self, node: Node, argv: Sequence[str], timeout_s: float, stdin: bytes = b"") -> Completed:
        return self._made(node).exec(argv, timeout_s, stdin)

    def spawn(self, node: Node, argv: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
        with self.inside(node):
            return spawn(argv, log)

    def inside(self, node: Node) -> AbstractContextManager[None]:
        return namespaces.network(self._made(node).network)

    def log(self, node: Node, lines: int = 20) -> list[str]:
        made = self._containers.get(node.name)
        return made.log(lines) if made is not None else []

    def volume(self, name: str) -> Path:
        assert self._site is not None
        with asked(f"tell where the volume {name} is"):
            return Path(self._site.engine.api.inspect_volume(self._site.volume(name))["Mountpoint"])

    def close(self) -> None:
        """What an engine that does not answer still has of it is the reaper's, who waits for longer."""
        site, self._site = self._site, None
        if site is None:
            return
        self._watch.end()
        remove_all(site.engine, site.marks, GONE_WITHIN_S)
        for container in self._containers.values():
            container.close()
        self._containers.clear()
        site.engine.close()

    # -- Breaks ------------------------------------------------------------------------------------------------

    def broken(self) -> str:
        return self._watch.broken

    # -- Pauses ------------------------------------------------------------------------------------------------

    def pause(self, node: Node) -> None:
        self._made(node).pause()

    def resume(self, node: Node) -> None:
        if made := self._containers.get(node.name):
            made.resume()

    # -- Cuts --------------------------------------------------------------------------------------------------

    def cut(self, sources: Sequence[Node], targets: Sequence[Node]) -> None:
        assert self._site is not None
        self._site.neighbours.cut(sources, targets)

    def join(self, sources: Sequence[Node], targets: Sequence[Node]) -> None:
        assert self._site is not None
        self._site.neighbours.join(sources, targets)

    def _made(self, node: Node) -> Container:
        made = self._containers.get(node.name)
        if made is None:
            raise NodeFailed(node.name, "it was never started")
        return made


def refuse_what_cannot_run(topology: Map) -> None:
    """Raises CannotRun, saying what is missing and what to do about it."""
    checked(topology).close()


def checked(topology: Map) -> docker.DockerClient:
    """The engine, if this topology can run on it. Raises CannotRun."""
    engine = reach()
    with asked("tell of itself"):
        info = engine.info()
    if found := hindrance(info):
        raise CannotRun(found)
    images.refuse_without(engine, topology)
    images.refuse_stale(engine, topology)
    return engine
