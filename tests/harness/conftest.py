from __future__ import annotations

from pathlib import Path

import pytest

from topology import map as topology
from topology.map import Map

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def replica() -> Map:
    """The project's own topology, of one region."""
    return topology.read(ROOT / "docker-compose.multi-region.yml").only(["singapore"])


@pytest.fixture(scope="session")
def everything(whole: Map) -> Map:
    """The same with all systems of the world."""
    compose = ROOT / "docker-compose.multi-region.yml"
    return topology.read(compose, [], topology.asked_for(whole.systems))


@pytest.fixture(scope="session")
def whole() -> Map:
    """The project's own topology, all regions of it."""
    return topology.read(ROOT / "docker-compose.multi-region.yml")
