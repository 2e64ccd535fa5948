"""The docker runtime: every node is a container of an engine on this machine."""

from __future__ import annotations

import subprocess
import threading
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Final

import docker

from harness.failure import TROUBLES, Failure
from harness.rundir import RunDir
from harness.runtime import CannotRun, Completed, NodeFailed, namespaces
from harness.runtime.docker import images, labels, networking, project, reaper, share
from harness.runtime.docker.container import Container
from harness.runtime.docker.enclosures import Devices
from harness.runtime.docker.engine import address, asked, reach
from harness.runtime.docker.nearness import hindrance
from harness.runtime.docker.neighbours import Neighbours
from harness.runtime.docker.removal import remove_all
from harness.runtime.docker.site import Site
from harness.runtime.docker.watch import Watch
from harness.runtime.enclosures import Enclosures, filesystems
from harness.runtime.enclosures.failing import Enclosing
from harness.runtime.spawning import spawn
from topology.map import Map, Node

STOPS_WITHIN_S: Final = 10.0
GONE_WITHIN_S: Final = 30.0


class DockerRuntime(Enclosing):
    """Nodes as containers. Satisfies `Runtime`, `Breaks`, `Attaches`, `Pauses`, `Cuts` and `Enclosures`.

    All that it makes bears the labels of the run; a reaper removes it should the harness not come to.
    """

    name = "docker"

    def __init__(self, stops_within_s: float = STOPS_WITHIN_S, attach: str = "") -> None:
        """A node that was asked to stop is killed when it has not ended by itself within that time.

        `attach` is a Compose project that is running already: its containers are the nodes, and stay when this ends.
        """
        super().__init__()
        self._attach = attach
        self._enclosures: Enclosures | None = None
        self._no_enclosures = ""
        self._stops_within_s = stops_within_s
        self._site: Site | None = None
        self._containers: dict[str, Container] = {}
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def prepare(self, topology: Map, run: RunDir) -> None:
        """Raises CannotRun for an engine or a machine on which this cannot run, and for what is missing or taken."""
        self._run, self._topology = run, topology
        engine = checked(topology, self._attach)
        attached = project.find(engine, self._attach, topology) if self._attach else None
        for image in images.stand_ins(engine, topology) if attached is None else ():
            run.record(
                "image.stands-in", image=image, why="upstream's could not be made: the project's own drop-in"
            )
        self._watch = Watch(engine)
        session = reaper.session()
        with asked("tell of itself"):
            group = share.parent(engine.info())
        self._site = Site(
            engine=engine,
            at=address(),
            prefix=f"{topology.name}-{session}-{run.path.name}".replace(" ", "-").lower(),
            marks=labels.of(run, session),
            names={node.name: str(node.address) for node in topology},
            logs=run.path / "nodes",
            neighbours=Neighbours(topology, closes=attached is None),
            project=attached,
            group=group,
        )
        if attached is not None:
            # By this it is known to whoever clears up, should this process not come to.
            with asked(f"note that {attached.name} is attached to"):
                marks = {**self._site.marks, labels.ATTACHED: attached.name}
                engine.api.create_volume(f"{self._site.prefix}-attached", labels=marks)
            run.record("project.attached", project=attached.name)
            return
        networking.create(engine, topology, self._site.network, self._site.marks)
        on_devices = self._enclose(topology, run)
        for name in {volume.name for node in topology for volume in node.volumes}:
            options = dict(on_devices.get(name, {}))
            with asked(f"make the volume {name}"):
                engine.api.create_volume(
                    self._site.volume(name), driver_opts=options, labels=dict(self._site.marks)
                )

    def _enclose(self, topology: Map, run: RunDir) -> Mapping[str, Mapping[str, str]]:
        """Make the enclosures, where this machine allows it. Gives how the engine mounts each volume that is on one."""
        if not topology.enclosures or self.refuses_failure(Failure.BROKEN):
            return {}
        devices = Devices(run.path / "local" / "enclosures")
        try:
            self._enclosures = made = Enclosures(run.path / "local", topology, storage=devices)
        except OSError as error:
            devices.close()
            self._no_enclosures = str(error)
            return {}
        run.record("enclosures.made", storage=made.storage.kind, why="", enclosures=[*made.names])
        return devices.options()

    def start(self, node: Node) -> None:
        self._wanted.add(node.name)
        if self._enclosures is not None:
            self._enclosures.refuse(node)
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
        self._wanted.discard(node.name)
        if made := self._containers.get(node.name):
            made.stop(self._stops_within_s)

    def kill(self, node: Node) -> int:
        self._wanted.discard(node.name)
        return self._end(node)

    def _end(self, node: Node) -> int:
        made = self._containers.get(node.name)
        return made.kill() if made else time.monotonic_ns()

    def alive(self, node: Node) -> bool:
        made = self._containers.get(node.name)
        return made is not None and made.alive()

    def exec(self, node: Node, argv: Sequence[str], timeout_s: float, stdin: bytes = b"") -> Completed:
        return self._container(node).exec(argv, timeout_s, stdin)

    def spawn(self, node: Node, argv: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
        with self.inside(node):
            return spawn(argv, log)

    def inside(self, node: Node) -> AbstractContextManager[None]:
        return namespaces.network(self._container(node).network)

    def log(self, node: Node, lines: int = 20) -> list[str]:
        made = self._containers.get(node.name)
        return made.log(lines) if made is not None else []

    def volume(self, name: str) -> Path:
        assert self._site is not None
        if self._enclosures is not None and name in self._enclosures.enclosed:
            return self._enclosures.volumes()[name]
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
        if self._enclosures is not None:
            self._enclosures.storage.close()
        site.engine.close()

    # -- Breaks ------------------------------------------------------------------------------------------------

    def broken(self) -> str:
        return self._watch.broken

    # -- Attaches ----------------------------------------------------------------------------------------------

    def attached(self) -> str:
        return f"the project {self._attach}" if self._attach else ""

    # -- Pauses ------------------------------------------------------------------------------------------------

    def pause(self, node: Node) -> None:
        self._container(node).pause()

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

    # -- Enclosures --------------------------------------------------------------------------------------------

    def refuses_failure(self, how: Failure) -> str:
        if self._attach:
            return f"the volumes of the project {self._attach} are folders of the engine's"
        if how in TROUBLES:
            return "what makes storage slow, or fail now and then, lies under programs of the local runtime alone"
        return self._no_enclosures or filesystems.missing()

    def _container(self, node: Node) -> Container:
        made = self._containers.get(node.name)
        if made is None:
            raise NodeFailed(node.name, "it was never started")
        return made


def refuse_what_cannot_run(topology: Map, attach: str = "") -> None:
    """Raises CannotRun, saying what is missing and what to do about it."""
    with closing(checked(topology, attach)) as engine:
        if attach:
            project.find(engine, attach, topology)


def checked(topology: Map, attach: str = "") -> docker.DockerClient:
    """The engine, if this topology can run on it, or be attached to. Raises CannotRun."""
    engine = reach()
    with asked("tell of itself"):
        info = engine.info()
    if found := hindrance(info):
        raise CannotRun(found)
    if not attach:  # what runs already runs from whatever it was made
        images.refuse_without(engine, topology)
        images.refuse_stale(engine, topology)
    return engine
