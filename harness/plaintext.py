"""Looking for canary mail addresses where none may stand in plain text: the volumes and logs of the service's nodes.

The boundary: every node in the service's own regions, with its databases, archived logs, backups, spools and its own
log. The world outside (carriers, delivery provider, mailboxes) holds mail by nature and is not looked at; nor is what
the harness itself writes down. Looked for are the forms of `canaries.forms`, also inside gzip. What is compressed by
other means, or encrypted, cannot be seen through; whoever has it would have to undo that first.
"""

from __future__ import annotations

import json
import os
import stat
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

from harness import canaries
from harness.rundir import Json, RunDir
from harness.runtime import Runtime
from topology.map import Map

FILE: Final = "plaintext.jsonl"
CHUNK: Final = 4 << 20
#: Hits told of one file: a log can have thousands.
MOST_HITS: Final = 5
_ZERO: Final = b"\0"
_GZIP: Final = b"\x1f\x8b\x08"


@dataclass(frozen=True)
class Hit:
    """One place. `offset`: in the file, or in what it unpacks to (`packed`)."""

    file: str
    offset: int
    form: str
    packed: bool

    def row(self) -> dict[str, Json]:
        return {"file": self.file, "offset": self.offset, "form": self.form, "packed": self.packed}


@dataclass
class Looked:
    """What was looked at, and what was found. `unread`: files that could not be read, and why."""

    files: int = 0
    bytes: int = 0
    seconds: float = 0.0
    hits: list[Hit] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)


def look_through(runtime: Runtime, topology: Map, run: RunDir, mark: str) -> None:
    """Look through the service's nodes and write down what was found: final/plaintext.jsonl."""
    looked = look(_places(runtime, topology, run), canaries.forms(mark))
    told: dict[str, Json] = {
        "files": looked.files,
        "bytes": looked.bytes,
        "seconds": looked.seconds,
        "unread": [*looked.unread],
    }
    rows: list[dict[str, Json]] = [{"what": "looked", **told}]
    rows += [{"what": "hit", **hit.row()} for hit in looked.hits]
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (run.path / "final" / FILE).write_text(text, encoding="utf-8")
    run.record("readback", what="plaintext", rows=len(rows))


def _places(runtime: Runtime, topology: Map, run: RunDir) -> Iterator[tuple[str, Path]]:
    """Volumes, and what each node wrote to its log."""
    for node in topology:
        if node.region not in topology.service_regions:
            continue
        for volume in node.volumes:
            folder = runtime.volume(volume.name)
            if folder.exists():
                yield volume.name, folder
        log = run.path / "nodes" / f"{node.name}.log"
        if log.exists():
            yield f"nodes/{node.name}.log", log


def look(folders: Iterable[tuple[str, Path]], forms: Mapping[str, bytes]) -> Looked:
    """Every file below each (name, folder or file), never more than a few chunks of it in memory."""
    started_s = time.monotonic()
    looked = Looked()
    for name, folder in folders:
        for path in _files(folder):
            told = f"{name}/{path.relative_to(folder)}" if path != folder else name
            try:
                _look_at(path, told, forms, looked)
            except FileNotFoundError:  # the database removes files as it works
                continue
            except OSError as error:
                looked.unread.append(f"{told}: {error.strerror}")
    looked.seconds = round(time.monotonic() - started_s, 3)
    return looked


def _files(folder: Path) -> Iterator[Path]:
    if not folder.is_dir():
        yield folder
        return
    for at, _, names in os.walk(folder):
        yield from (Path(at) / name for name in sorted(names))


def _look_at(path: Path, told: str, forms: Mapping[str, bytes], looked: Looked) -> None:
    if not stat.S_ISREG(path.lstat().st_mode):
        return
    with path.open("rb") as file:
        looked.files += 1
        looked.bytes += _search(told, _pieces(file), forms, looked, packed=False)
        file.seek(0)
        if file.read(len(_GZIP)) == _GZIP:
            file.seek(0)
            looked.bytes += _search(told, _unpacked(file), forms, looked, packed=True)


def _search(
    told: str, pieces: Iterable[bytes], forms: Mapping[str, bytes], looked: Looked, *, packed: bool
) -> int:
    """Search a stream, also across the seams of its pieces. Gives its length."""
    overlap = max(map(len, forms.values())) - 1
    hits: list[Hit] = []
    begin, kept = 0, b""
    for piece in pieces:
        window = kept + piece
        for form, wanted in _possible(window, forms):
            at = window.find(wanted)
            while at >= 0 and len(hits) < MOST_HITS:
                if at + len(wanted) > len(kept):  # else it was told with the piece before
                    hits.append(Hit(told, begin - len(kept) + at, form, packed))
                at = window.find(wanted, at + 1)
        begin += len(piece)
        kept = window[-overlap:]
    looked.hits += hits
    return begin


def _possible(window: bytes, forms: Mapping[str, bytes]) -> Iterator[tuple[str, bytes]]:
    """The forms that a window can hold: whoever has one with its zeros also has it when all zeros are left out of both.

    Much of a database's files is zeros, in which a search for UTF-16 comes forward slowly.
    """
    squeezed = window.translate(None, _ZERO)
    for form, wanted in forms.items():
        if _ZERO not in wanted or wanted.translate(None, _ZERO) in squeezed:
            yield form, wanted


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    """Only what is there: databases set aside files of which most was never written."""
    end = os.fstat(file.fileno()).st_size
    at = 0
    while at < end and (piece := os.pread(file.fileno(), CHUNK, at)):
        at += len(piece)
        yield piece


def _unpacked(file: BinaryIO) -> Iterator[bytes]:
    """What gzip files hold, one after another in a file; up to where one is torn."""
    unpacking = zlib.decompressobj(wbits=31)
    while packed := file.read(CHUNK // 16):
        while packed:
            try:
                yield unpacking.decompress(packed, CHUNK)
            except zlib.error:
                return
            packed = unpacking.unconsumed_tail
            if unpacking.eof:
                packed = unpacking.unused_data
                unpacking = zlib.decompressobj(wbits=31)
