"""The storage enclosures of a run in containers: file systems that really fail, mounted by the engine as well.

A volume on an enclosure is a file system of its own, on a loop device that the harness holds open. The house mounts it,
to look at it and to fail it, and the engine mounts the same device wherever a container has that volume: the kernel
knows but one file system. An enclosure fails with all of its volumes. When the harness has ended and the containers are
gone, nobody holds the devices any more, and the kernel frees them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from harness.failure import Failure
from harness.runtime import NodeFailed
from harness.runtime.enclosures.filesystems import OPTIONS, RELEASED_WITHIN_S, FileSystems, mount
from harness.runtime.enclosures.holders import holders

#: Who a node's programs are, see the compose file.
OWNER: Final = 1000
ON_A_DEVICE: Final = OPTIONS.removeprefix("loop,")


class Held(FileSystems):
    """File systems whose devices stay theirs while they are not mounted. Every one is called by its volume."""

    def __init__(self, place: Path) -> None:
        super().__init__(place)
        self._held: dict[str, tuple[Path, int]] = {}

    def device(self, volume: str) -> Path:
        return self._held[volume][0]

    def close(self) -> None:
        super().close()
        for _, descriptor in self._held.values():
            os.close(descriptor)
        self._held.clear()

    def _source(self, volume: str) -> Path:
        return self._held[volume][0] if volume in self._held else super()._source(volume)

    def _attach(self, volume: str) -> None:
        if volume in self._held:
            mount(self.device(volume), self._mount(volume), ON_A_DEVICE)
            return
        super()._attach(volume)
        path = Path("/dev") / self._device(volume).name
        self._held[volume] = path, os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        (self._mount(volume) / "lost+found").rmdir()  # a new volume is empty
        os.chown(self._mount(volume), OWNER, OWNER)

    def _await_release(self, volume: str, device: Path) -> None:
        known = Path("/sys/fs/ext4") / device.name
        deadline_s = time.monotonic() + RELEASED_WITHIN_S
        while known.exists():
            if time.monotonic() > deadline_s:
                held = holders((device / "dev").read_text().strip())
                what = f"it is still in use {RELEASED_WITHIN_S:g} s after its nodes ended"
                raise NodeFailed(volume, f"{what}: {held}" if held else what)
            time.sleep(0.01)


class Devices:
    """All enclosures of a run, see `Storage`."""

    kind = FileSystems.kind
    failures = FileSystems.failures

    def __init__(self, place: Path) -> None:
        self._systems = Held(place)
        self._volumes: Mapping[str, Sequence[str]] = {}

    def make(self, volumes: Mapping[str, Sequence[str]]) -> None:
        self._volumes = volumes
        self._systems.make({name: () for names in volumes.values() for name in names})

    def folder(self, _enclosure: str, volume: str) -> Path:
        return self._systems.folder(volume, "")

    def hidden(self) -> Sequence[Path]:
        return self._systems.hidden()

    def fail(self, enclosure: str, how: Failure) -> None:
        for volume in self._volumes[enclosure]:
            self._systems.fail(volume, how)

    def repair(self, enclosure: str) -> None:
        for volume in self._volumes[enclosure]:
            self._systems.repair(volume)

    def close(self) -> None:
        self._systems.close()

    def options(self) -> Mapping[str, Mapping[str, str]]:
        """How the engine mounts each volume, as its driver of local volumes is told."""
        return {
            name: {"type": "ext4", "device": str(self._systems.device(name)), "o": ON_A_DEVICE}
            for names in self._volumes.values()
            for name in names
        }
