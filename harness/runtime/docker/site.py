"""What all containers of one run have in common: the engine, the network, the labels, everybody's name."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import docker

from harness.runtime.docker import labels
from harness.runtime.docker.neighbours import Neighbours
from harness.runtime.docker.project import Project


@dataclass(frozen=True)
class Site:
    """`at`: where the engine listens. `names`: the address of every node. `logs`: where what nodes print is kept.

    `group` is the control group below which containers are put; empty: where the engine puts them.
    `cabling` is held by whoever takes a node off the network. `project` is what the run is attached to; none: all
    containers are its own.
    """

    engine: docker.DockerClient
    at: str
    prefix: str
    marks: Mapping[str, str]
    names: Mapping[str, str]
    logs: Path
    neighbours: Neighbours
    project: Project | None = None
    group: str = ""
    cabling: threading.Lock = field(default_factory=threading.Lock)

    @property
    def network(self) -> str:
        return f"{self.prefix}-fabric"

    def container(self, node: str) -> str:
        return f"{self.prefix}-{node}"

    def volume(self, name: str) -> str:
        if self.project is not None:
            return self.project.volumes[name]
        return f"{self.prefix}-{name}"

    def marked(self, node: str) -> dict[str, str]:
        return {**self.marks, labels.NODE: node}
