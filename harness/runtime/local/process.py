"""The processes of one node: started in namespaces of their own, so that one signal ends them all at once."""

from __future__ import annotations

import os
import select
import shlex
import shutil
import signal
import subprocess
import sys
import time
import weakref
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from harness.runtime import NodeFailed, given, house
from harness.runtime.nursery import Birth, NotBorn, Nursery
from topology.__main__ import PROGRAMS as ROLES
from topology.map import Node

NAMESPACES: Final = ("--pid", "--fork", "--kill-child", *house.MOUNTS, "--ipc", "--uts")
#: Upstream's image of the proxy; its own server where there is one, else the drop-in.
TOXIPROXY_IMAGE: Final = "ghcr.io/shopify/toxiproxy"
#: Roles whose real part refuses to run as root.
UNPRIVILEGED_ROLES: Final = ("database", "hosted-authentication")
#: All of them are; see `nursery`.
UNBUFFERED: Final = "PYTHONUNBUFFERED"
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


def module(node: Node, variables: Mapping[str, str]) -> tuple[str, list[str]] | None:
    """The Python module that is its program, and the arguments; None if it is something else, or another user's.

    None, too, where its environment has something to say to an interpreter, or to the loader, as it starts.
    """
    front, *words = program(node)
    if any(name.startswith(("LD_", "PYTHON")) and name != UNBUFFERED for name in variables):
        return None
    if node.role in UNPRIVILEGED_ROLES or front != sys.executable or words[:1] != ["-m"] or len(words) < 2:
        return None
    return words[1], words[2:]


def modules(nodes: Iterable[Node]) -> set[str]:
    """What is to be loaded for those that are Python modules."""
    found = set()
    for name, arguments in filter(None, (module(node, node.environment) for node in nodes)):
        found.add(ROLES.get(arguments[0], name) if name == "topology" and arguments else name)
    return found


def furniture(
    node: Node, etc: Path, volumes: Mapping[str, Path], configs: Path, hidden: Sequence[Path] = ()
) -> str:
    """The shell commands that furnish the node's file system.

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
    return "\n".join(lines)


def begin(node: Node) -> str:
    """The shell command that becomes the node's program."""
    user = (
        ["unshare", "--user", "--map-user=1000", "--map-group=1000"]
        if node.role in UNPRIVILEGED_ROLES
        else []
    )
    return "cd /mnt/tmp; exec " + shlex.join([*user, *program(node)])


class Outer:
    """The process that a node's life hangs on, seen from outside: it ends when the node does."""

    def __init__(self, pid: int) -> None:
        try:
            self._descriptor = os.pidfd_open(pid)
        except ProcessLookupError:  # it has ended, and was waited for
            self._descriptor = -1
        else:
            weakref.finalize(self, os.close, self._descriptor)

    def ended(self, within_s: float | None = 0.0) -> bool:
        """Whether it has, or does within that time; None: however long it takes."""
        if self._descriptor < 0:
            return True
        poll = select.poll()
        poll.register(self._descriptor, select.POLLIN)
        return bool(poll.poll(None if within_s is None else within_s * 1000))


class Child(Outer):
    """The same, where it is a child of this process, which then has to wait for it."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        super().__init__(process.pid)
        self._process = process

    def ended(self, within_s: float | None = 0.0) -> bool:
        if ended := super().ended(within_s):
            self._process.wait()
        return ended


class NodeProcess:
    """One life of a node."""

    def __init__(self, node: Node, outer: Outer, init: int) -> None:
        self.node, self._outer, self.init = node, outer, init

    @classmethod
    def started(cls, node: Node, furniture: str, log: Path, variables: Mapping[str, str]) -> NodeProcess:
        """With this environment. Call it in a thread that stands in the node's network namespace.

        Raises NodeFailed if it does not even get as far as its own PID 1.
        """
        with log.open("ab") as output:
            process = subprocess.Popen(
                ["unshare", *NAMESPACES, "sh", "-c", f"{furniture}\n{begin(node)}"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=dict(variables),
                start_new_session=True,
            )
        return cls(node, Child(process), _init_of(node, process))

    @classmethod
    def born(cls, node: Node, nursery: Nursery, birth: Birth, network: int, log: Path) -> NodeProcess:
        """The same for a node whose program is a module, in that network namespace. Raises NodeFailed."""
        try:
            with log.open("ab") as output:
                outer, init = nursery.bear(birth, network, output.fileno())
        except NotBorn as failure:
            raise NodeFailed(node.name, f"its namespaces could not be made: {failure}") from failure
        return cls(node, Outer(outer), init)

    def alive(self) -> bool:
        return not self._outer.ended()

    def signal(self, number: int) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.init, number)

    def end(self, within_s: float) -> bool:
        """Whether it was gone within that time."""
        return self._outer.ended(within_s)

    def kill(self) -> None:
        """When PID 1 of a namespace is killed, the kernel kills all that is in it."""
        self.signal(signal.SIGKILL)
        self._outer.ended(None)

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


def _init_of(node: Node, outer: subprocess.Popen[bytes]) -> int:
    children = Path(f"/proc/{outer.pid}/task/{outer.pid}/children")
    deadline = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < deadline and outer.poll() is None:
        with suppress(FileNotFoundError):
            if found := children.read_text().split():
                return int(found[0])
        time.sleep(0.001)
    raise NodeFailed(node.name, "its namespaces could not be made")


def _namespace(pid: int) -> str | None:
    try:
        return os.readlink(f"/proc/{pid}/ns/pid")
    except OSError:
        return None
