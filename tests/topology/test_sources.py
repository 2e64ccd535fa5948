"""What the image is made of, as it tells by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import library
from topology import sources


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("constraints.txt", "harness/plan.py", "topology/image/Dockerfile", "README.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


@pytest.mark.parametrize("changed", ["constraints.txt", "harness/plan.py", "topology/image/Dockerfile"])
def test_whatever_goes_into_the_image_is_told_apart(tree: Path, changed: str) -> None:
    before = sources.manifest(tree)
    (tree / changed).write_text("other")
    after = sources.manifest(tree)
    assert [name for name in before if before[name] != after[name]] == [changed]


@pytest.mark.parametrize(
    "beside",
    [
        "README.md",
        "harness/__pycache__/plan.cpython-311.pyc",
        "topology/image/offline.sh",
        "topology/image/wheels/one.whl",
        "harness/.plan.py.swp",
    ],
)
def test_what_stays_out_of_the_image_makes_no_difference(tree: Path, beside: str) -> None:
    before = sources.manifest(tree)
    (tree / beside).parent.mkdir(parents=True, exist_ok=True)
    (tree / beside).write_text("other")
    assert sources.manifest(tree) == before


def test_what_is_written_is_read_again() -> None:
    files = sources.manifest(library.ROOT)
    assert {"constraints.txt", "topology/sources.py", "topology/image/requirements.txt"} <= set(files)
    assert sources.read(sources.written(files)) == files
