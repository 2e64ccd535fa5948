"""Every test runs inside a house: in namespaces of its own, with no network but loopback and what it makes itself."""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from harness.runtime import CannotRun, house, namespaces
from harness.runtime.docker import reaper
from tests import engine

if TYPE_CHECKING:
    from xdist.remote import Producer
    from xdist.scheduler import LoadFileScheduling

# A busy machine is slow, not wrong: no drawn example may fail for the time it took.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Start again inside a house, so that nothing of a test outlives it, whatever ends it."""
    if house.inside() or config.option.collectonly:
        return None
    if engine.found():
        reaper.session()  # what a house cannot end: containers
    try:
        return house.enter([sys.executable, "-m", "pytest", *config.invocation_params.args])
    except CannotRun as missing:
        raise pytest.UsageError(str(missing)) from missing


def pytest_configure(config: pytest.Config) -> None:
    """Workers share a house. What one mounts must not be copied into the nodes of another, where it would stay."""
    if hasattr(config, "workerinput"):
        namespaces.own_mounts()


#: A drill brings up a whole replica.
DRILL_TAKES_S = 60.0
#: Where `make test` looks for drills, and nowhere else.
DRILLS = ("drills", "containers")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files that take longest come first, so that none of them is left alone at the end."""
    for item in items:
        if item.get_closest_marker("drill") and item.path.parent.name not in DRILLS:
            raise pytest.UsageError(f"{item.nodeid}: drills are kept in tests/{' and tests/'.join(DRILLS)}")
    items.sort(key=_takes_s, reverse=True)


def pytest_collection_finish() -> None:
    """All that was imported stays: nothing looks through it for garbage while the tests run."""
    gc.collect()
    gc.freeze()


def _takes_s(item: pytest.Item) -> float:
    if mark := item.get_closest_marker("takes"):
        return float(mark.args[0])
    return DRILL_TAKES_S if item.get_closest_marker("drill") else 0.0


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling:
    """A file is one worker's, in the order above, so that what its tests share is brought up once.

    Drills share nothing: each goes to whoever is free. The runtimes are one worker's: an engine has each address once.
    """
    from xdist.scheduler import LoadFileScheduling

    class ByFile(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            if nodeid.startswith("tests/runtime/"):
                return "tests/runtime"
            return nodeid if nodeid.startswith("tests/drills/") else str(super()._split_scope(nodeid))

    config.option.loadscopereorder = False
    return ByFile(config, log)
