"""Storage enclosures that are slow, or fail now and then: a layer under the programs of their nodes, see `troubled.c`.

No file system of Linux fails now and then, and a block device that does (device mapper's `flakey` and `delay`) is not
in every kernel. So the calls of a node's programs to its own files go through a shared library, loaded before the C
library, which waits or says EIO. Programs that do without the C library, such as Go's, would not notice: of such none
is on an enclosure. The layer is under those nodes only that a run means to trouble, and asks the kernel for nothing.
"""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

from harness.failure import FAILING_SHARE, SLOWER_S, Failure
from harness.runtime import CannotRun
from topology.map import Node

SOURCE: Final = Path(__file__).with_name("troubled.c")
LIBRARY: Final = "troubled.so"
#: As in `struct trouble`: of 2^32 calls so many fail, and each takes so many microseconds longer.
LAYOUT: Final = struct.Struct("=II")
WELL: Final = LAYOUT.pack(0, 0)
TROUBLED: Final[Mapping[Failure, bytes]] = {
    Failure.SLOW: LAYOUT.pack(0, round(SLOWER_S * 1e6)),
    Failure.INTERMITTENT: LAYOUT.pack(round(FAILING_SHARE * 2**32), 0),
}


class Troubles:
    """The layer of one run, below `place`, for these enclosures. All is well at first."""

    def __init__(self, place: Path, enclosures: Collection[str]) -> None:
        """Raises CannotRun where it cannot be made."""
        self._place = place
        self._enclosures = frozenset(enclosures)
        if not enclosures:
            return
        place.mkdir(parents=True, exist_ok=True)
        _compile(place / LIBRARY)
        for enclosure in enclosures:
            self._control(enclosure).write_bytes(WELL)

    def environment(self, node: Node) -> Mapping[str, str]:
        """What the node's programs must be told, so that the layer is under them."""
        if node.enclosure not in self._enclosures:
            return {}
        return {
            "LD_PRELOAD": str(self._place / LIBRARY),
            "STORAGE_TROUBLE": str(self._control(node.enclosure)),
            "STORAGE_PLACES": ":".join(volume.target for volume in node.volumes),
        }

    def has(self, enclosure: str) -> bool:
        return enclosure in self._enclosures

    def begin(self, enclosure: str, how: Failure) -> None:
        self._tell(enclosure, TROUBLED[how])

    def end(self, enclosure: str) -> None:
        self._tell(enclosure, WELL)

    def _tell(self, enclosure: str, trouble: bytes) -> None:
        """In place: programs have the file in their memory."""
        descriptor = os.open(self._control(enclosure), os.O_WRONLY)
        try:
            os.pwrite(descriptor, trouble, 0)
        finally:
            os.close(descriptor)

    def _control(self, enclosure: str | None) -> Path:
        return (self._place / f"{enclosure}.trouble").absolute()


def missing() -> str:
    """What this machine lacks to make the layer, in words; empty where it has all."""
    return "" if shutil.which("cc") else "not installed: a C compiler (apt install gcc libc6-dev)"


def _compile(library: Path) -> None:
    command = ["cc", "-O2", "-fPIC", "-shared", "-o", str(library), str(SOURCE), "-ldl"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = " ".join(done.stderr.split())[:300]
        raise CannotRun(f"the layer that troubles storage cannot be compiled: {said}")
