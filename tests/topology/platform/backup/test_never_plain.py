"""No plain byte of what a backup keeps ever reaches the disk: not even in a file that is gone a moment later.

The archive is on a file system of its own, in an image file, and every write goes through to that at once. What is
deleted there stays in its blocks; so the image tells what was ever written, and not only what is left at the end.
"""

from __future__ import annotations

import gzip
import subprocess
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.runtime.enclosures import filesystems
from tests.topology.platform.backup.backup_node import BackupNode, now, switch_segments, write
from tests.topology.service.postgres import Postgres

pytestmark = [
    pytest.mark.fabric,
    pytest.mark.takes(6),
    pytest.mark.skipif(bool(filesystems.missing()), reason=filesystems.missing()),
]

CANARY = "canary-of-the-base-backup-and-of-the-log"
WITNESS, PACKED_WITNESS = "witness-of-a-file-that-is-gone", "witness-of-a-packed-file-that-is-gone"
SIZE = 256 << 20
GZIP = b"\x1f\x8b\x08"


class Disk:
    """A disk that forgets nothing, mounted at `folder`."""

    def __init__(self, image: Path, folder: Path) -> None:
        self.image, self.folder = image, folder

    def write_and_delete(self, name: str, data: bytes) -> None:
        path = self.folder / name
        path.write_bytes(data)
        path.unlink()

    def ever_held(self, *texts: str) -> set[str]:
        """Which of these texts were ever written to it, as they are or within gzip."""
        written = self.image.read_bytes()
        found = {text for text in texts if text.encode() in written}
        at = written.find(GZIP)
        while at >= 0:
            found |= {text for text in texts if text.encode() in inflated(written[at:])}
            at = written.find(GZIP, at + 1)
        return found


def inflated(data: bytes) -> bytes:
    """As much as there is in it of what gzip has packed: a file's blocks need not lie together."""
    inflate = zlib.decompressobj(wbits=31)
    whole = b""
    try:
        for at in range(0, len(data), 4096):
            whole += inflate.decompress(data[at : at + 4096])
            if inflate.eof:
                break
    except zlib.error:
        pass
    return whole


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    image, folder = tmp_path / "disk.img", tmp_path / "disk"
    folder.mkdir()
    with image.open("wb") as file:
        file.truncate(SIZE)
    environment = {"PATH": filesystems.PATH}
    make = ["mkfs.ext4", "-q", "-F", "-E", "nodiscard", str(image)]
    mount = ["mount", "--types=ext4", "--options=loop,sync,noatime", str(image), str(folder)]
    for argv in (make, mount):
        subprocess.run(argv, check=True, env=environment)
    yield Disk(image, folder)
    subprocess.run(["umount", "--lazy", str(folder)], check=True, env=environment)


def test_what_was_ever_on_the_disk_is_sealed(ancestor: Postgres, disk: Disk, tmp_path: Path) -> None:
    server = ancestor.copy(tmp_path / "primary")
    server.start()
    write(server, 1, note=CANARY)
    node = BackupNode(tmp_path / "node", server, DATA=str(disk.folder))
    try:
        node.start()
        node.await_generations(1)
        write(server, 2, note=CANARY)
        switch_segments(server, 3)
        node.await_all_until(now(server))
        assert [each["restorable"] for each in node.verify()] == [True]
    finally:
        node.node.kill()
        server.kill()
    assert disk.ever_held(CANARY) == set()
    disk.write_and_delete("plain", WITNESS.encode())
    disk.write_and_delete("packed", gzip.compress(PACKED_WITNESS.encode()))
    assert list(disk.folder.glob("p*")) == []
    assert disk.ever_held(WITNESS, PACKED_WITNESS) == {WITNESS, PACKED_WITNESS}
