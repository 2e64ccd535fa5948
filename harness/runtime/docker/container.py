"""The container of one node: made once, started and ended as often as it takes."""

from __future__ import annotations

import io
import math
import tarfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import PurePosixPath
from typing import Any, Final

from docker.errors import APIError, NotFound
from docker.types import EndpointConfig, LogConfig, Mount

from harness.runtime import Completed, NodeFailed, given
from harness.runtime.docker import asking
from harness.runtime.docker.engine import asked
from harness.runtime.docker.life import Life, Listener
from harness.runtime.docker.neighbours import hardware
from harness.runtime.docker.site import Site
from harness.runtime.docker.stream import Stream
from topology.map import Node

GONE_WITHIN_S: Final = 30


class Container:
    """Safe for use from several threads. Every error names the node (`NodeFailed`)."""

    def __init__(self, site: Site, node: Node) -> None:
        self.node = node
        self._site = site
        self._api = site.engine.api
        self._log = site.logs / f"{node.name}.log"
        self._life: Life | None = None
        self._listener: Listener | None = None
        self._lock = threading.RLock()
        self._connected = True
        if site.project is not None:
            self._id = site.project.containers[node.name]
            return
        with asked("make its container", node.name):
            self._id = self._make()

    def _make(self) -> str:
        folders = sorted({str(PurePosixPath(config.target).parent) for config in self.node.configs})
        volumes = {volume.target: self._site.volume(volume.name) for volume in self.node.volumes}
        for number, folder in enumerate(folders):
            # A file can be put only into what is not read-only: a volume of the node's own.
            name = volumes[folder] = self._site.volume(f"{self.node.name}-config-{number}")
            self._api.create_volume(name, labels=self._site.marked(self.node.name))
        endpoint = EndpointConfig(
            self._api.api_version, ipv4_address=str(self.node.address), mac_address=hardware(self.node)
        )
        made = self._api.create_container(
            self.node.image,
            list(self.node.command),
            name=self._site.container(self.node.name),
            hostname=self.node.name,
            user=self.node.confinement.user,
            environment=dict(given.environment(self.node)),
            labels=self._site.marked(self.node.name),
            mac_address=hardware(self.node),
            networking_config={"EndpointsConfig": {self._site.network: endpoint}},
            healthcheck={"test": ["NONE"]},  # the harness looks itself, from where users look
            host_config=self._host_config(volumes),
        )
        identity: str = made["Id"]
        for config in self.node.configs:
            target = PurePosixPath(config.target)
            self._api.put_archive(identity, str(target.parent), _packed(target.name, config.content))
        return identity

    def _host_config(self, volumes: Mapping[str, str]) -> Any:
        confined = self.node.confinement
        return self._api.create_host_config(
            network_mode=self._site.network,
            mounts=[Mount(target, name, type="volume") for target, name in volumes.items()],
            extra_hosts=dict(self._site.names),
            # Compose puts configs into the root; here they are on a volume of their own.
            read_only=confined.read_only or bool(self.node.configs),
            tmpfs=dict(confined.scratch),
            cap_drop=[*confined.cap_drop],
            cap_add=[*confined.cap_add],
            security_opt=[*confined.security_opt],
            cgroup_parent=self._site.group or None,
            cpu_shares=confined.cpu_shares or None,
            sysctls=dict(confined.sysctls) or None,
            log_config=LogConfig(type=LogConfig.types.JSON, config={"max-size": "64m"}),
        )

    # -- its life ----------------------------------------------------------------------------------------------

    def start(self) -> None:
        with self._lock:
            if self.alive():
                return
            again = self._life is not None
            self._forget()
            with asked("start it", self.node.name):
                if again:
                    self._api.wait(self._id, timeout=GONE_WITHIN_S)
                self._connect()
                path = f"/v{self._api.api_version}/containers/{self._id}/attach?stream=1&stdout=1&stderr=1"
                self._listener = Listener(Stream(self._site.at, path), self._log)
                self._api.start(self._id)
                pid = self._api.inspect_container(self._id)["State"]["Pid"]
            if pid:
                self._enter(pid)

    def _enter(self, pid: int) -> None:
        try:
            self._life = Life(pid)
            self._site.neighbours.plug(self.node, self._life.network)
        except (FileNotFoundError, ProcessLookupError):
            pass  # it ended at once
        except (OSError, LookupError) as error:
            raise NodeFailed(
                self.node.name, f"its network cannot be entered from here: {error}", self.log()
            ) from None

    def stop(self, within_s: float) -> None:
        with self._lock:
            if self.alive():
                with asked("stop it", self.node.name):
                    self._api.stop(self._id, timeout=math.ceil(within_s))
            self._hear_out()

    def kill(self) -> int:
        """Gives the instant since which nothing reaches it."""
        with self._lock:
            # First the cable, so that not even the kernel's own resets are heard from it.
            self._site.neighbours.unplug(self.node)
            silent_ns = time.monotonic_ns()
            if self.alive():
                with asked("kill it", self.node.name):
                    if self._site.project is None:
                        self._disconnect()
                    with suppress(APIError):  # it ended by itself in the meantime
                        self._api.kill(self._id, "SIGKILL")
                    self._await_end()
            self._hear_out()
            return silent_ns

    def _disconnect(self) -> None:
        """One at a time: engines miscount, when several leave a network at once, and keep the network for good then."""
        with self._site.cabling, suppress(APIError):
            self._api.disconnect_container_from_network(self._id, self._site.network, force=True)
            self._connected = False

    def _connect(self) -> None:
        if not self._connected:
            address = str(self.node.address)
            self._api.connect_container_to_network(self._id, self._site.network, ipv4_address=address)
            self._connected = True

    def _await_end(self) -> None:
        """Until its processes are gone; what the engine does after that is waited for when it is started again."""
        deadline_s = time.monotonic() + GONE_WITHIN_S
        while self.alive():
            if time.monotonic() > deadline_s:
                raise NodeFailed(self.node.name, f"it still runs {GONE_WITHIN_S} s after it was killed")
            time.sleep(0.005)

    def alive(self) -> bool:
        return self._life is not None and self._life.alive()

    def pause(self) -> None:
        self._living()
        with asked("freeze it", self.node.name):
            if not self._paused():
                self._api.pause(self._id)

    def resume(self) -> None:
        with asked("let it go on", self.node.name):
            if self._paused():
                self._api.unpause(self._id)

    def _paused(self) -> bool:
        return bool(self._api.inspect_container(self._id)["State"]["Paused"])

    def remove(self) -> None:
        """Its volumes stay. Raises NodeFailed for one that is not the run's own."""
        if self._site.project is not None:
            what = f"it is a container of the project {self._site.project.name}, and runs what that says"
            raise NodeFailed(self.node.name, what)
        self.kill()
        with asked("remove it", self.node.name), suppress(NotFound):
            self._api.remove_container(self._id, force=True)
        self._forget()

    def close(self) -> None:
        """After its removal by whatever means, or when it was given back: nothing of it is held any more."""
        self._hear_out()
        self._let_go()

    # -- inside and out ----------------------------------------------------------------------------------------

    @property
    def network(self) -> int:
        """A descriptor of the network namespace of its latest life."""
        if self._life is None:
            raise NodeFailed(self.node.name, "it is not running", self.log())
        return self._life.network

    def exec(self, argv: Sequence[str], timeout_s: float, stdin: bytes) -> Completed:
        self._living()
        with asked(f"run {argv[0]}", self.node.name):
            done = asking.run(self._site.engine, self._site.at, self._id, argv, timeout_s, stdin)
        if done is None:
            raise TimeoutError(f"{self.node.name}: {' '.join(argv)} did not end within {timeout_s:g} s")
        return done

    def log(self, lines: int = 20) -> list[str]:
        if not self.alive():
            self._hear_out()
        return self._log.read_text(errors="replace").splitlines()[-lines:] if self._log.exists() else []

    def _living(self) -> None:
        if not self.alive():
            raise NodeFailed(self.node.name, "it is not running", self.log())

    def _hear_out(self) -> None:
        if self._listener is not None:
            self._listener.hear_out()

    def _forget(self) -> None:
        """It has ended."""
        if self._life is not None:
            self._site.neighbours.unplug(self.node)
        self._let_go()

    def _let_go(self) -> None:
        if self._life is not None:
            self._life.forget()
        self._life = self._listener = None


def _packed(name: str, content: str) -> bytes:
    """One file that everybody may read, as an archive."""
    data = content.encode()
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = len(data), 0o444
        archive.addfile(entry, io.BytesIO(data))
    return packed.getvalue()
