"""The storage enclosures of a run: which volumes are on each, what they are made of here, which of them fail."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from harness.failure import TROUBLES, Failure
from harness.runtime import NodeFailed
from harness.runtime.enclosures import filesystems, troubles
from harness.runtime.enclosures.filesystems import FileSystems
from harness.runtime.enclosures.storage import Folders, Storage
from harness.runtime.enclosures.troubles import Troubles
from topology.map import Map, Node


class Enclosures:
    """Every volume of a topology, and the enclosure that it is on. `why`: why they are no file systems, if so.

    Not safe from several threads.
    """

    def __init__(
        self, place: Path, topology: Map, troubled: Collection[str] = (), storage: Storage | None = None
    ) -> None:
        """Make them below `place`; of `storage`, or else of the best that this machine allows.

        `troubled`: those that may be slow, or fail now and then. Raises OSError where that storage cannot be.
        """
        self._failed: dict[str, Failure] = {}
        self._troubles = Troubles(place / "troubles", troubled)
        self._volumes = {
            volume.name: place / "volumes" / volume.name for node in topology for volume in node.volumes
        }
        enclosed: dict[str, list[str]] = {}
        for node in topology:
            if node.enclosure is not None:
                enclosed.setdefault(node.enclosure, []).extend(volume.name for volume in node.volumes)
        if storage is not None:
            storage.make(enclosed)
        self.storage, self.why = (storage, "") if storage else _made(place / "enclosures", enclosed)
        for enclosure, names in enclosed.items():
            for name in names:
                self._lead(name, self.storage.folder(enclosure, name))
        for path in self._volumes.values():
            path.mkdir(parents=True, exist_ok=True)
        self.names = list(enclosed)
        #: The volumes that are on one.
        self.enclosed = frozenset(name for names in enclosed.values() for name in names)

    def volumes(self) -> Mapping[str, Path]:
        """Where each lies, as long as its enclosure has not been taken away."""
        return self._volumes

    def refuse(self, node: Node) -> None:
        """Raises NodeFailed for a node that cannot run, because of its enclosure."""
        failure = self._failed.get(node.enclosure or "")
        if failure is not None and not self.outlived(failure):
            raise NodeFailed(node.name, f"its storage enclosure {node.enclosure} is {failure.value}")

    def outlived(self, how: Failure) -> bool:
        """Whether programs go on running when their enclosure fails so."""
        if how in TROUBLES:
            return True
        return how is not Failure.OFFLINE and not isinstance(self.storage, Folders)

    def environment(self, node: Node) -> Mapping[str, str]:
        """What a node's programs must be told of their storage."""
        return self._troubles.environment(node)

    def fail(self, enclosure: str, how: Failure) -> bool:
        """Whether it has not failed so already. Raises NodeFailed."""
        present = self._failed.get(enclosure)
        if present is how:
            return False
        if present is not None:
            raise NodeFailed(enclosure, f"it is {present.value} already")
        if how not in TROUBLES:
            self.storage.fail(enclosure, how)
        elif self._troubles.has(enclosure):
            self._troubles.begin(enclosure, how)
        else:
            raise NodeFailed(enclosure, f"nobody foresaw that it would be {how.value} in this run")
        self._failed[enclosure] = how
        return True

    def failure(self, enclosure: str) -> Failure | None:
        """How it has failed; None where it is well."""
        return self._failed.get(enclosure)

    def repair(self, enclosure: str) -> None:
        if self._failed[enclosure] in TROUBLES:
            self._troubles.end(enclosure)
        else:
            self.storage.repair(enclosure)
        del self._failed[enclosure]

    def _lead(self, volume: str, folder: Path) -> None:
        """Whoever looks for a volume finds it beside all others."""
        link = self._volumes[volume]
        link.parent.mkdir(parents=True, exist_ok=True)
        if not link.is_symlink():
            link.symlink_to(os.path.relpath(folder, link.parent))


def refusal(how: Failure) -> str:
    """Why no enclosure can fail so on this machine; empty where it can."""
    if how in TROUBLES:
        return troubles.missing()
    lack = filesystems.missing()
    return lack if lack and how not in Folders.failures else ""


def _made(place: Path, volumes: Mapping[str, Sequence[str]]) -> tuple[Storage, str]:
    """File systems where this machine allows them; else folders, and why."""
    why = filesystems.missing()
    if volumes and not why:
        systems = FileSystems(place)
        try:
            systems.make(volumes)
            return systems, ""
        except OSError as error:
            systems.close()
            why = str(error)
    folders = Folders(place)
    folders.make(volumes)
    return folders, why
