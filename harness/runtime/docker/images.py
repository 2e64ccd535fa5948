"""The images of a topology: whether the engine has them, and whether ours are made from these very sources."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping
from typing import Final

import docker
from docker.errors import ImageNotFound, NotFound

from harness import library
from harness.runtime import CannotRun
from harness.runtime.docker import labels, reaper
from harness.runtime.docker.engine import asked
from topology import sources
from topology.map import Map

#: Where an image says what it was made from, see topology/image/Dockerfile.
MANIFEST: Final = "/opt/replica/sources.txt"
#: What an image of ours bears that stands in for somebody else's under its tag, see topology/image/offline.sh.
STANDS_IN: Final = "resilience-harness.stands-in-for"


def refuse_without(engine: docker.DockerClient, topology: Map) -> None:
    """Raises CannotRun, naming the images that are not at hand."""
    missing = []
    for name in sorted({node.image for node in topology}):
        with asked(f"tell of the image {name}"):
            try:
                engine.images.get(name)
            except ImageNotFound:
                missing.append(name)
    if missing:
        raise CannotRun(
            f"the engine has no image {' and no image '.join(missing)}; make image fetches and makes them, with a "
            "registry or without"
        )


def refuse_stale(engine: docker.DockerClient, topology: Map) -> None:
    """Raises CannotRun for an image of ours that was made from other sources than those that run here."""
    ours = {node.image for node in topology if node.command[1:3] == ("-m", "topology")}
    present = sources.manifest(library.ROOT)
    for name in sorted({*ours, *stand_ins(engine, topology)}):
        if why := staleness(_made_from(engine, name), present):
            raise CannotRun(f"the image {name} {why}; make image makes it anew")


def stand_ins(engine: docker.DockerClient, topology: Map) -> list[str]:
    """The images that are not what their tags say: the project's own drop-in where upstream's could not be had."""
    names = sorted({node.image for node in topology})
    with asked("tell of its images"):
        return [name for name in names if STANDS_IN in engine.images.get(name).labels]


def staleness(made_from: Mapping[str, str] | None, present: Mapping[str, str]) -> str:
    """What of an image is not as it is here; empty if it all is. Both are digests by path, see topology.sources."""
    if made_from is None:
        return "does not tell what it was made from"
    differ = sorted(path for path in {*made_from, *present} if made_from.get(path) != present.get(path))
    if not differ:
        return ""
    more = f" and {len(differ) - 1} more" if len(differ) > 1 else ""
    return f"is older than its sources, or made from others: {differ[0]}{more} changed"


def _made_from(engine: docker.DockerClient, image: str) -> Mapping[str, str] | None:
    """By the image itself; None if it does not tell. It is seen only in a container, which is not started."""
    with asked(f"look into the image {image}"):
        marks = {labels.SESSION: reaper.session()}
        made = engine.api.create_container(image, ["true"], labels=marks)["Id"]
        try:
            pieces, _ = engine.api.get_archive(made, MANIFEST)
            packed = io.BytesIO(b"".join(pieces))
        except NotFound:
            return None
        finally:
            engine.api.remove_container(made, force=True)
    with tarfile.open(fileobj=packed) as archive:
        member = archive.next()
        file = archive.extractfile(member) if member is not None else None
        return sources.read(file.read().decode()) if file is not None else None
