"""The house that a run lives in: what it may not do to the machine around it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from harness.runtime import house
from harness.runtime.local.process import NAMESPACES
from tests.harness.load.world import until

pytestmark = [pytest.mark.fabric, pytest.mark.takes(2)]


@pytest.fixture
def volume(tmp_path: Path) -> Iterator[Path]:
    """A file system that is mounted in a place that others share, as an engine's volumes are."""
    shared = tmp_path / "shared"
    shared.mkdir()
    _run("mount", "--types=tmpfs", "none", str(shared))
    _run("mount", "--make-shared", str(shared))
    volume = shared / "volume"
    volume.mkdir()
    _run("mount", "--types=tmpfs", "none", str(volume))
    yield volume
    with suppress(subprocess.CalledProcessError):
        _run("umount", "--lazy", "--recursive", str(shared))


@pytest.mark.parametrize(
    "command", [house.unshare_command(), ["unshare", *NAMESPACES]], ids=["house", "node"]
)
def test_what_an_engine_unmounts_is_not_kept_in_use(volume: Path, command: list[str]) -> None:
    with subprocess.Popen([*command, "sleep", "30"]) as inside:
        mounts = Path(f"/proc/{inside.pid}/mountinfo")
        try:
            own = Path("/proc/self/ns/mnt").readlink()
            until(lambda: Path(f"/proc/{inside.pid}/ns/mnt").readlink() != own, 5, "mounts of its own")
            assert str(volume) in mounts.read_text()
            _run("umount", str(volume))
            until(lambda: str(volume) not in mounts.read_text(), 5, "the house lets go of it")
        finally:
            inside.kill()


def _run(*argv: str) -> None:
    subprocess.run(argv, check=True, capture_output=True)
