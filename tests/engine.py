"""The container engine that tests need: without one they are skipped, unless it is said that there must be one."""

from __future__ import annotations

import os
from functools import cache

import pytest

from harness.runtime import CannotRun
from harness.runtime.docker.engine import reach

#: Set to 1 where there must be an engine: what needs one then fails without it.
REQUIRED = "HARNESS_REQUIRE_DOCKER"


@cache
def missing() -> str:
    """Why there is no engine to be used; empty if there is one."""
    try:
        reach().close()
    except CannotRun as why:
        return str(why)
    return ""


def found() -> bool:
    return not missing()


def need() -> None:
    """Skip the test where there is no engine; fail it where one is required."""
    if why := missing():
        (pytest.fail if os.environ.get(REQUIRED) == "1" else pytest.skip)(why)
