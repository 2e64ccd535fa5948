"""Storage enclosures as file systems that really fail: an image file each, ext4 on a loop device, mounted in the house.

    local/enclosures/NAME.img    what is durable; sparse
    local/enclosures/mnt/NAME    mounted there, a folder for every volume

What a program has synced is in the image, and survives. What it has not is in the memory of the file system, and a
failure takes it. Barriers are off, as on an enclosure whose write cache has a battery: a sync need not wait for the
disk of this machine, which does not fail here.

Loop devices are bound with "autoclear": the kernel frees them with the last mount, and the mounts end with the house.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import struct
import subprocess
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from harness.failure import Failure
from harness.runtime import NodeFailed
from harness.runtime.enclosures.holders import holders
from harness.runtime.namespaces import root_of_the_machine

#: What an enclosure holds at most; the image takes only what was written.
SIZE: Final = 8 << 30
#: As many files as all volumes of an enclosure need, many times over; each costs 256 bytes of the image when used.
FILES: Final = 65536
MAKE: Final = ("-q", "-F", f"-N{FILES}", "-E", "lazy_itable_init=1,lazy_journal_init=1,nodiscard")
#: An error that the file system finds makes it read-only, as on most machines.
OPTIONS: Final = "loop,noatime,nobarrier,noinit_itable,errors=remount-ro"
PROGRAMS: Final = ("mkfs.ext4", "e2fsck", "mount", "umount")
PATH: Final = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
#: linux/ext4.h: EXT4_IOC_SHUTDOWN, and its flag to write nothing more, not even the journal.
SHUTDOWN: Final = 0x8004587D
WITHOUT_FLUSH: Final = struct.pack("I", 2)
#: Exit statuses of e2fsck from here on: errors are left.
FSCK_LEFT_ERRORS: Final = 4
RELEASED_WITHIN_S: Final = 10.0


class FileSystems:
    """Every enclosure is a file system of its own. Needs root and loop devices, see `missing`."""

    kind = "file systems"
    failures = frozenset(Failure)

    def __init__(self, place: Path) -> None:
        self._place = place
        self._mounts = place / "mnt"
        self._made: list[str] = []
        self._attached = False

    def make(self, volumes: Mapping[str, Sequence[str]]) -> None:
        self._mounts.mkdir(parents=True, exist_ok=True)
        # One mount above all others, so that a node gets rid of them all at once.
        _run("mount", "--bind", str(self._mounts), str(self._mounts))
        self._attached = True
        with ThreadPoolExecutor(max_workers=4) as pool:
            list(pool.map(self._make, volumes))
        for enclosure, names in volumes.items():
            for volume in names:
                self.folder(enclosure, volume).mkdir(exist_ok=True)
        self._sync(volumes)

    def folder(self, enclosure: str, volume: str) -> Path:
        return self._mount(enclosure) / volume

    def hidden(self) -> Sequence[Path]:
        return (self._mounts,)

    def fail(self, enclosure: str, how: Failure) -> None:
        if how is Failure.READ_ONLY:
            # What the kernel itself does when it finds an error: the journal ends, nothing is written any more.
            trigger = Path("/sys/fs/ext4") / self._device(enclosure).name / "trigger_fs_error"
            trigger.write_text("made to fail")
            return
        descriptor = os.open(self._mount(enclosure), os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.ioctl(descriptor, SHUTDOWN, WITHOUT_FLUSH)
        finally:
            os.close(descriptor)

    def repair(self, enclosure: str) -> None:
        """Unmount, replay the journal, mount again."""
        if self._mount(enclosure).is_mount():
            device = self._device(enclosure)
            _run("umount", "--lazy", str(self._mount(enclosure)))
            self._await_release(enclosure, device)
        checked = _program("e2fsck", "-p", str(self._source(enclosure)))
        if checked.returncode >= FSCK_LEFT_ERRORS:
            said = checked.stdout.decode(errors="replace").strip()
            raise NodeFailed(enclosure, f"its file system cannot be repaired: {said}")
        self._attach(enclosure)

    def close(self) -> None:
        if self._attached:
            _run("umount", "--lazy", "--recursive", str(self._mounts))
            self._attached = False

    def _make(self, enclosure: str) -> None:
        image = self._image(enclosure)
        with image.open("wb") as file:
            file.truncate(SIZE)
        _run("mkfs.ext4", *MAKE, str(image))
        self._mount(enclosure).mkdir(exist_ok=True)
        self._attach(enclosure)

    def _attach(self, enclosure: str) -> None:
        mount(self._image(enclosure), self._mount(enclosure))

    def _source(self, enclosure: str) -> Path:
        """Where its file system is when it is not mounted."""
        return self._image(enclosure)

    def _sync(self, enclosures: Mapping[str, object]) -> None:
        """A failure at the first moment must find the volumes there."""
        for enclosure in enclosures:
            descriptor = os.open(self._mount(enclosure), os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def _await_release(self, enclosure: str, device: Path) -> None:
        """Until nobody has the file system any more, in whatever namespace."""
        bound = device / "loop" / "backing_file"
        deadline = time.monotonic() + RELEASED_WITHIN_S
        while bound.exists() and bound.read_text().strip() == str(self._image(enclosure)):
            if time.monotonic() > deadline:
                held = holders((device / "dev").read_text().strip())
                what = f"it is still in use {RELEASED_WITHIN_S:g} s after it was unmounted"
                raise NodeFailed(enclosure, f"{what}: {held}" if held else what)
            time.sleep(0.01)

    def _device(self, enclosure: str) -> Path:
        """The block device in /sys that the enclosure is on."""
        number = os.stat(self._mount(enclosure)).st_dev
        return Path(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}").resolve()

    def _image(self, enclosure: str) -> Path:
        return self._place / f"{enclosure}.img"

    def _mount(self, enclosure: str) -> Path:
        return self._mounts / enclosure


def mount(source: Path, target: Path, options: str = OPTIONS) -> None:
    """Raises OSError with what the program said."""
    _run("mount", "--types=ext4", f"--options={options}", str(source), str(target))


def missing() -> str:
    """What this process lacks to make file systems of its own, in words; empty: nothing that can be seen beforehand."""
    if not root_of_the_machine():
        return "mounting a file system needs root"
    if not os.access("/dev/loop-control", os.R_OK | os.W_OK):
        return "there are no loop devices (/dev/loop-control)"
    if "ext4" not in Path("/proc/filesystems").read_text().split():
        return "the kernel has no ext4"
    lacking = [name for name in PROGRAMS if shutil.which(name, path=PATH) is None]
    return f"not installed: {', '.join(lacking)} (apt install e2fsprogs mount)" if lacking else ""


def _program(*argv: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "PATH": PATH},
        check=False,
    )


def _run(*argv: str) -> None:
    """Raises OSError with what the program said."""
    done = _program(*argv)
    if done.returncode != 0:
        said = " ".join(done.stdout.decode(errors="replace").split())
        raise OSError(f"{argv[0]} failed with status {done.returncode}: {said}")
