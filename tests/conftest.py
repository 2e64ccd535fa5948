"""Every test runs inside a house: in namespaces of its own, with no network but loopback and what it makes itself."""

from __future__ import annotations

import sys

import pytest
from hypothesis import HealthCheck, settings

from harness.runtime import CannotRun
from harness.runtime.local import house

# A busy machine is slow, not wrong: no drawn example may fail for the time it took.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Start again inside a house, so that nothing of a test outlives it, whatever ends it."""
    if house.inside() or config.option.collectonly:
        return None
    try:
        return house.enter([sys.executable, "-m", "pytest", *config.invocation_params.args])
    except CannotRun as missing:
        raise pytest.UsageError(str(missing)) from missing
