"""Linux namespaces, as far as the standard library does not offer them before Python 3.12."""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

CLONE_NEWNS: Final = 0x00020000
CLONE_NEWUTS: Final = 0x04000000
CLONE_NEWIPC: Final = 0x08000000
CLONE_NEWPID: Final = 0x20000000
CLONE_NEWNET: Final = 0x40000000
MS_NOSUID: Final = 0x2
MS_NODEV: Final = 0x4
MS_NOEXEC: Final = 0x8
MS_REC: Final = 0x4000
MS_SLAVE: Final = 0x80000
PR_SET_PDEATHSIG: Final = 1

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> None:
    if result != 0:
        errno = ctypes.get_errno()
        raise OSError(errno, f"{what}: {os.strerror(errno)}")


def root_of_the_machine() -> bool:
    """Whether this process is root, and not only in a user namespace of its own."""
    everybody = ["0", "0", str(2**32 - 1)]
    return os.geteuid() == 0 and Path("/proc/self/uid_map").read_text().split() == everybody


def die_with_parent(signal_number: int) -> None:
    """Ask the kernel to send this process a signal when its parent ends, however it ends."""
    _check(_libc.prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0), "prctl")


def own_mounts() -> None:
    """What the calling thread, and whatever it starts, mounts from now on is seen by nobody else, nor the other way."""
    _check(_libc.unshare(CLONE_NEWNS), "unshare")


def apart() -> None:
    """New namespaces for all but the network: at once, and for processes from the next fork on. See `own_processes`."""
    _check(_libc.unshare(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID), "unshare")
    _check(_libc.mount(None, b"/", None, MS_REC | MS_SLAVE, None), "mount --make-rslave")


def own_processes() -> None:
    """PID 1 of a namespace sees it, and no other, in /proc."""
    _check(_libc.mount(b"proc", b"/proc", b"proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, None), "mount /proc")


def enter_network(descriptor: int) -> None:
    """Move the calling thread, and no other, into a network namespace."""
    _check(_libc.setns(descriptor, CLONE_NEWNET), "setns")


def current_network() -> int:
    """A descriptor of the calling thread's network namespace; it keeps the namespace alive until closed."""
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


def new_network() -> int:
    """A descriptor of a new, empty network namespace, which lives as long as the descriptor or a process in it."""
    made: list[int] = []
    failed: list[OSError] = []

    def make() -> None:
        try:
            _check(_libc.unshare(CLONE_NEWNET), "unshare")
            made.append(current_network())
        except OSError as error:
            failed.append(error)

    thread = threading.Thread(target=make)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
    return made[0]


@contextmanager
def network(descriptor: int) -> Iterator[None]:
    """The calling thread is in that network namespace until the context ends."""
    home = current_network()
    try:
        enter_network(descriptor)
        try:
            yield
        finally:
            enter_network(home)
    finally:
        os.close(home)
