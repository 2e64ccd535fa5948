"""The house: namespaces that hold a whole run, and end when the harness ends, whatever ends it.

    harness (outside)                         what the user started; waits, passes signals on
      └─ unshare --kill-child …               dies with it
           └─ house, PID 1 of its namespace   reaps orphans; when it ends the kernel ends all below
                └─ the same command again     conducts, inside
                     └─ nodes, load, probes

Inside there is no network but loopback and what the run makes itself; no mount made there is seen outside.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Final

import psutil

from harness.runtime import CannotRun
from harness.runtime.namespaces import die_with_parent

#: Set inside a house, to the PID that started it, as seen from outside.
INSIDE: Final = "HARNESS_HOUSE"
#: Set inside a house: when that process started, seconds since the epoch.
STARTED: Final = "HARNESS_HOUSE_STARTED"
FORWARDED: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
#: Set inside a house: where the machine's processes are seen, of which those of the house are only some.
MACHINE: Final = "HARNESS_MACHINE_PROCESSES"
#: How the command of a house takes signals: when it says so, or from its first moment.
LISTENS, HEARS = "--listens", "--hears"
#: Exit statuses of `unshare` for a program that it cannot start.
CANNOT_EXECUTE, NOT_FOUND = 126, 127
SIOCSIFFLAGS: Final = 0x8914
IFF_UP: Final = 1
#: What others unmount is let go of here, too: a copy of an engine's volumes would keep their file systems in use.
MOUNTS: Final = ("--mount", "--propagation=slave", "--mount-proc")
NAMESPACES: Final = ("--pid", "--fork", "--kill-child", *MOUNTS, "--net", "--ipc", "--uts")


def inside() -> bool:
    return INSIDE in os.environ


def machine() -> Path:
    """The /proc in which every process of this machine is seen; inside a house its own /proc shows only its own."""
    return Path(os.environ.get(MACHINE, "/proc"))


def unshare_command() -> list[str]:
    """`unshare` with what this user needs. Raises CannotRun, saying what is missing."""
    program = shutil.which("unshare")
    if program is None or shutil.which("nsenter") is None:
        raise CannotRun("unshare and nsenter are missing; they come with util-linux (apt install util-linux)")
    # Without root the house gets a user namespace of its own, in which it is root.
    command = [program, *([] if os.geteuid() == 0 else ["--user", "--map-root-user"]), *NAMESPACES]
    tried = subprocess.run([*command, "true"], capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        raise CannotRun(
            f"namespaces cannot be made here ({tried.stderr.strip()}); run as root, or allow user namespaces: "
            "sysctl kernel.unprivileged_userns_clone=1 and user.max_user_namespaces>0"
        )
    return command


def enter(argv: Sequence[str], listens: bool = False) -> int:
    """Run a command in a house of its own and return its exit status. Signals sent to this process reach it.

    With `listens`, they wait for the command to call `listen`. Raises CannotRun if it cannot even be started.
    """
    command = [*unshare_command(), sys.executable, "-m", __name__, LISTENS if listens else HEARS, *argv]
    started = psutil.Process().create_time()
    # PID 1 of the house holds it open, so all inside find it there.
    processes = os.open(machine(), os.O_RDONLY | os.O_DIRECTORY)
    environment = {
        **os.environ,
        INSIDE: str(os.getpid()),
        STARTED: str(started),
        MACHINE: f"/proc/1/fd/{processes}",
    }
    parent = os.getpid()

    def tie() -> None:
        # Until there is somebody inside who can hear them, signals wait; see `listen`.
        signal.pthread_sigmask(signal.SIG_BLOCK, FORWARDED)
        die_with_parent(signal.SIGKILL)
        if os.getppid() != parent:  # it ended before the tie was made
            os._exit(1)

    process = subprocess.Popen(
        command, env=environment, preexec_fn=tie, start_new_session=True, pass_fds=(processes,)
    )
    os.close(processes)

    def forward(number: int, _frame: FrameType | None) -> None:
        for child in _children(process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, number)

    before = {number: signal.signal(number, forward) for number in FORWARDED}
    try:
        status = process.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if status in (CANNOT_EXECUTE, NOT_FOUND):
        raise CannotRun(f"{sys.executable} cannot be started inside namespaces; can this user read it?")
    return status if status >= 0 else 128 - status


def _children(pid: int) -> list[int]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in path.read_text().split()] if path.exists() else []


def main(listens: str, argv: Sequence[str]) -> int:
    """PID 1 of a house: loopback up, one child, and an end for every orphan."""
    _loopback_up()
    child = os.fork()
    if child == 0:
        if listens == HEARS:
            listen()
        os.execvp(argv[0], list(argv))
    for number in FORWARDED:
        signal.signal(number, lambda received, _frame: os.kill(child, received))
    listen()
    while True:
        pid, status = os.wait()
        if pid == child:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


def listen() -> None:
    """From now on this process hears the signals that are passed on into a house, also those that came before."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, FORWARDED)


def _loopback_up() -> None:
    with socket.socket() as any_socket:
        request = struct.pack("16sH14x", b"lo", IFF_UP)
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, request)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
