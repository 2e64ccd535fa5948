"""A run directory to fill by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.rundir import Json
from tests.harness.checks.recorded import Recorded

Record = Callable[..., Recorded]


@pytest.fixture
def record(tmp_path: Path) -> Record:
    """`record(answers={"lost": 0})`: a run whose scenario expects this."""

    def make(**expect: dict[str, Json]) -> Recorded:
        return Recorded(tmp_path, expect)

    return make
