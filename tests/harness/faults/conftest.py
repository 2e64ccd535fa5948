from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.faults import Stage
from tests import small
from tests.standing import standing


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The small topology with an access link and names, up and healthy, looked at from a2."""
    with standing(small.with_names(), "a2", tmp_path_factory.mktemp("runs"), "effects") as stage:
        yield stage
