"""The sample run, built once for all tests of the reports; tests that change it get a copy."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.rundir import RunDir
from reports import reading
from reports.reading import Record

sys.path.insert(0, str(Path(__file__).parent))  # the builder is a program of its own as well

import sample_move
import sample_run

NAME = Path("az-loss") / "20260311T054600-7"
MOVE = Path("region-loss") / "20260311T054600-7"


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> sample_run.Sample:
    """A whole run. Nobody may change it but by writing its report."""
    return sample_run.build(tmp_path_factory.mktemp("runs") / NAME)


@pytest.fixture(scope="session")
def moved(tmp_path_factory: pytest.TempPathFactory) -> sample_run.Sample:
    """A whole run in which the service moves to another region. Nobody may change it but by writing its report."""
    return sample_move.build(tmp_path_factory.mktemp("runs") / MOVE)


@pytest.fixture(scope="session")
def record(sample: sample_run.Sample) -> Record:
    """The sample as reports read it. It is frozen: tests that want another make one of it with `replace`."""
    return reading.read(sample.run)


@pytest.fixture(scope="session")
def moved_record(moved: sample_run.Sample) -> Record:
    """The same of the run in which the service moves."""
    return reading.read(moved.run)


@pytest.fixture
def own_move(moved: sample_run.Sample, tmp_path: Path) -> sample_run.Sample:
    """A copy of it, to tear pieces out of."""
    shutil.copytree(moved.run.path, tmp_path / MOVE)
    return sample_run.Sample(RunDir(tmp_path / MOVE), moved.answers)


@pytest.fixture
def own_run(sample: sample_run.Sample, tmp_path: Path) -> RunDir:
    """A copy of the sample, without a report, to tear pieces out of."""
    shutil.copytree(sample.run.path, tmp_path / NAME)
    (tmp_path / NAME / "report.html").unlink(missing_ok=True)
    return RunDir(tmp_path / NAME)


@pytest.fixture
def torn(own_run: RunDir) -> Callable[[str], None]:
    """Cuts a file of the copy in half, as a kill in the midst of writing leaves it."""

    def cut(name: str) -> None:
        path = own_run.path / name
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    return cut
