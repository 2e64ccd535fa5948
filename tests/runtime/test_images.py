"""An image that was made from other sources than those that run here is refused before anything starts."""

from __future__ import annotations

import io
import secrets
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import docker
import pytest

from harness import library
from harness.runtime import CannotRun
from harness.runtime.docker import images
from tests.commands import harness
from tests.small import small_map
from topology import sources
from topology.map import Map

pytestmark = [pytest.mark.fabric]

IMAGE = "safety-confirmation/node:latest"


def with_image(name: str) -> Map:
    """Nodes of ours on that image."""
    command = ("python", "-m", "topology", "stand")
    nodes = {node.name: replace(node, image=name, command=command) for node in small_map()}
    return replace(small_map(), nodes=nodes)


@pytest.fixture
def made_from(client: docker.DockerClient) -> Iterator[Callable[[str], str]]:
    """The node's image, that says of itself that it was made from something else: its name."""
    names = []

    def make(manifest: str) -> str:
        names.append(f"safety-confirmation/node:test-{secrets.token_hex(4)}")
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            entry = tarfile.TarInfo(Path(images.MANIFEST).name)
            entry.size = len(manifest)
            archive.addfile(entry, io.BytesIO(manifest.encode()))
        container = client.containers.create(IMAGE, ["true"])
        try:
            container.put_archive(str(Path(images.MANIFEST).parent), packed.getvalue())
            container.commit(*names[-1].split(":"))
        finally:
            container.remove()
        return names[-1]

    yield make
    for name in names:
        client.images.remove(name)


def test_the_image_at_hand_is_made_from_these_sources(client: docker.DockerClient) -> None:
    images.refuse_stale(client, with_image(IMAGE))


def test_an_image_from_other_sources_is_exit_4_with_what_makes_it_anew(
    made_from: Callable[[str], str], tmp_path: Path
) -> None:
    older = {**sources.manifest(library.ROOT), "topology/compose.py": "0" * 64}
    stale = made_from(sources.written(older))
    topology = tmp_path / "topology.yml"
    topology.write_text(library.TOPOLOGY.read_text().replace(IMAGE, stale))
    ran = harness("run", "calm", "--runtime", "docker", "--topology", str(topology), runs=tmp_path / "runs")
    assert ran.status == 4
    assert ran.stderr.strip() == (
        f"harness: the image {stale} is older than its sources, or made from others: topology/compose.py changed; "
        "make image makes it anew"
    )
    assert not (tmp_path / "runs").exists(), "nothing was begun"


def test_an_image_that_does_not_tell_is_refused(
    client: docker.DockerClient, made_from: Callable[[str], str]
) -> None:
    with pytest.raises(CannotRun, match="does not tell what it was made from; make image makes it anew"):
        images.refuse_stale(client, with_image("ghcr.io/shopify/toxiproxy:2.12.0"))
    with pytest.raises(CannotRun, match=r"constraints\.txt and \d+ more changed"):
        images.refuse_stale(client, with_image(made_from("")))


def test_looking_leaves_nothing(client: docker.DockerClient) -> None:
    before = {container.id for container in client.containers.list(all=True)}
    images.refuse_stale(client, with_image(IMAGE))
    assert {container.id for container in client.containers.list(all=True)} <= before
