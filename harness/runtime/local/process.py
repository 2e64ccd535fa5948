"""The processes of one node: started in namespaces of their own, so that one signal ends them all at once."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from harness.runtime import NodeFailed, given
from topology.map import Node

NAMESPACES: Final = ("--pid", "--fork", "--kill-child", "--mount", "--mount-proc", "--ipc", "--uts")
#: Upstream's image of the proxy; its own server where there is one, else the drop-in.
TOXIPROXY_IMAGE: Final = "ghcr.io/shopify/toxiproxy"
#: Roles whose real part refuses to run as root.
UNPRIVILEGED_ROLES: Final = ("database", "hosted-authentication")
STARTS_WITHIN_S: Final = 5.0


def program(node: Node) -> list[str]:
    """What the node's image would run, as a command of this machine."""
    if node.image.partition(":")[0] == TOXIPROXY_IMAGE:
        server = shutil.which("toxiproxy-server")
        front = [server] if server else [sys.executable, "-m", "topology.platform.proxy.server"]
        return [*front, *node.command]
    return python(node.command)


def python(command: Sequence[str]) -> list[str]:
    """The command with the project's own Python where it says `python`."""
    return [sys.executable if word == "python" else word for word in command[:1]] + list(command[1:])


def environment(node: Node) -> dict[str, str]:
    keep = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return {**keep, **given.environment(node)}


def setup(
    node: Node, etc: Path, volumes: Mapping[str, Path], configs: Path, hidden: Sequence[Path] = ()
) -> str:
    """The shell commands that furnish the node's file system and then become its program.

    /mnt holds all that is the node's own: its volumes, its configuration, its scratch space. `etc` has the files that
    take the place of the machine's own. `hidden` are mounts that are none of the node's, but for its volumes.
    """
    lines = [
        "set -e",
        "mount -t tmpfs -o mode=755 tmpfs /mnt",
        "mkdir -m 1777 /mnt/tmp",
        "mount -t tmpfs tmpfs /dev/shm",
        *(f"mount --bind {shlex.quote(str(etc / name))} /etc/{name}" for name in ("hosts", "passwd")),
        f"hostname {shlex.quote(node.name)}",
    ]
    for volume in node.volumes:
        target = shlex.quote(volume.target)
        lines += [f"mkdir -p {target}", f"mount --bind {shlex.quote(str(volumes[volume.name]))} {target}"]
    if hidden:
        lines.append("umount --lazy " + shlex.join(str(path) for path in hidden))
    for number, config in enumerate(node.configs):
        target = shlex.quote(config.target)
        lines += [f"mkdir -p $(dirname {target})", f"cp {shlex.quote(str(configs))}/{number} {target}"]
    user = (
        ["unshare", "--user", "--map-user=1000", "--map-group=1000"]
        if node.role in UNPRIVILEGED_ROLES
        else []
    )
    lines.append("cd /mnt/tmp; exec " + shlex.join([*user, *program(node)]))
    return "\n".join(lines)


class NodeProcess:
    """One life of a node. Create it in a thread that stands in the node's network namespace."""

    def __init__(self, node: Node, script: str, log: Path, variables: Mapping[str, str]) -> None:
        """`variables` is its environment. Raises NodeFailed if it does not even get as far as its own PID 1."""
        self.node = node
        with log.open("ab") as output:
            self._outer = subprocess.Popen(
                ["unshare", *NAMESPACES, "sh", "-c", script],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=dict(variables),
                start_new_session=True,
            )
        self.init = self._find_init()

    def _find_init(self) -> int:
        children = Path(f"/proc/{self._outer.pid}/task/{self._outer.pid}/children")
        deadline = time.monotonic() + STARTS_WITHIN_S
        while time.monotonic() < deadline and self._outer.poll() is None:
            with suppress(FileNotFoundError):
                if found := children.read_text().split():
                    return int(found[0])
            time.sleep(0.001)
        raise NodeFailed(self.node.name, "its namespaces could not be made")

    def alive(self) -> bool:
        return self._outer.poll() is None

    def signal(self, number: int) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.init, number)

    def end(self, within_s: float) -> bool:
        """Whether it was gone within that time."""
        try:
            self._outer.wait(within_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    def kill(self) -> None:
        """When PID 1 of a namespace is killed, the kernel kills all that is in it."""
        self.signal(signal.SIGKILL)
        self._outer.wait()

    def pause(self) -> None:
        """Freeze every process of the node; repeated until no new one was born meanwhile."""
        stopped: set[int] = set()
        while fresh := self._all() - stopped:
            for pid in fresh:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGSTOP)
            stopped |= fresh

    def resume(self) -> None:
        for pid in self._all():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def _all(self) -> set[int]:
        mine = _namespace(self.init)
        pids = (int(name) for name in os.listdir("/proc") if name.isdigit())
        return {pid for pid in pids if mine and _namespace(pid) == mine}


def _namespace(pid: int) -> str | None:
    try:
        return os.readlink(f"/proc/{pid}/ns/pid")
    except OSError:
        return None
