"""Where nodes are born that are Python programs: as forks of one process that has loaded what they are made of.

    harness ─ nursery                     has loaded every program of the topology, and waits
                └─ one for each node      stands in the node's namespaces, ends when the node ends
                     └─ PID 1             furnishes the node's file system, and then is its program

Loading takes a quarter of a second of one core for each of forty nodes; here it is done once. For the rest a node is
what `python -m` would have made of it: an environment, a process group, namespaces of its own.
"""

from __future__ import annotations

import gc
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Final

from harness.runtime import namespaces

MESSAGE_BYTES: Final = 1 << 17
#: Loading takes a second, on a busy machine several; a birth some milliseconds.
ANSWERS_WITHIN_S: Final = 30.0
#: Where a node's program begins.
WHERE: Final = "/mnt/tmp"


@dataclass(frozen=True)
class Birth:
    """What a node is born with: `script` furnishes its file system, `module` is its program."""

    script: str
    module: str
    arguments: Sequence[str]
    environment: Mapping[str, str]


class NotBorn(Exception):
    """A node did not get as far as its own PID 1. `str` of it says why."""


class Nursery:
    """The harness's end. Not safe for use from several threads at once."""

    def __init__(self, modules: Collection[str], log: Path) -> None:
        """It loads the modules meanwhile; what it has to say of that goes to `log`."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # -P: a node does not look for modules where the harness happens to have been started.
        command = [sys.executable, "-P", "-m", __name__, str(theirs.fileno()), *sorted(modules)]
        with log.open("ab") as output, theirs:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
        self._socket = ours

    def bear(self, birth: Birth, network: int, log: int) -> tuple[int, int]:
        """The process to wait for, and the node's PID 1, which stands in that network and writes to `log`.

        Raises NotBorn.
        """
        self._socket.settimeout(ANSWERS_WITHIN_S)
        try:
            socket.send_fds(self._socket, [json.dumps(asdict(birth)).encode()], [network, log])
            told = json.loads(self._socket.recv(MESSAGE_BYTES) or '{"why": "the nursery has ended"}')
        except OSError as error:
            raise NotBorn(f"the nursery does not answer ({error})") from error
        if "why" in told:
            raise NotBorn(str(told["why"]))
        return int(told["outer"]), int(told["init"])

    def close(self) -> None:
        """It ends. Whoever was born there lives on."""
        self._socket.close()
        self._process.wait()


def main(descriptor: int, modules: Sequence[str]) -> int:
    for name in modules:
        try:
            import_module(name)
        except Exception:  # whoever needs it will say so
            traceback.print_exc()
    gc.collect()
    gc.freeze()  # else every fork would have a copy of it all as soon as it looks for garbage
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody here waits for them
    requests = socket.socket(fileno=descriptor)
    while True:
        message, descriptors, *_ = socket.recv_fds(requests, MESSAGE_BYTES, 2)
        if not message:
            return 0
        if os.fork() == 0:
            _stand_apart(requests, *descriptors)
            return _live(Birth(**json.loads(message)))
        for each in descriptors:
            os.close(each)


def _stand_apart(requests: socket.socket, network: int, log: int) -> None:
    """Go on as PID 1 of new namespaces; the process that came here waits for it, and ends as it does."""
    try:
        os.setsid()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for standard in (1, 2):
            os.dup2(log, standard)
        namespaces.enter_network(network)
        namespaces.apart()
        init = os.fork()
    except OSError as error:
        requests.send(json.dumps({"why": str(error)}).encode())
        os._exit(1)
    if init == 0:
        namespaces.die_with_parent(signal.SIGKILL)
    else:
        requests.send(json.dumps({"outer": os.getpid(), "init": init}).encode())
    requests.close()
    for each in (network, log):
        os.close(each)
    if init != 0:
        status = os.waitstatus_to_exitcode(os.waitpid(init, 0)[1])
        os._exit(status if status >= 0 else 128 - status)


def _live(birth: Birth) -> int:
    """Be the node."""
    namespaces.own_processes()
    furnished = subprocess.run(["sh", "-c", birth.script], env=dict(birth.environment), check=False)
    if furnished.returncode != 0:
        return furnished.returncode
    os.chdir(WHERE)
    os.environ.clear()
    os.environ.update(birth.environment)
    tempfile.tempdir = None
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError):
            stream.reconfigure(write_through=True)  # type: ignore[union-attr]
    for name in (birth.module, f"{birth.module}.__main__"):
        sys.modules.pop(name, None)
    sys.argv = [birth.module, *birth.arguments]
    sys.path.insert(0, WHERE)  # as `python -m` does
    runpy.run_module(birth.module, run_name="__main__", alter_sys=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
