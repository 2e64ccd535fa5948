"""Looking for addresses in files: every form, at every place, in any size."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from harness import canaries, plaintext
from harness.plaintext import Hit, look

MARK = canaries.mark(7)
FORMS = canaries.forms(MARK)
ADDRESS = f"{canaries.address_mark(MARK)}.31@docomo.example"


def found(folder: Path) -> list[Hit]:
    return look([("volume", folder)], FORMS).hits


@pytest.mark.parametrize(
    ("write", "form", "packed"),
    [
        (lambda: b"to " + ADDRESS.encode(), "plain", False),
        (lambda: quote(ADDRESS, safe="").encode(), "plain", False),
        (lambda: ADDRESS.encode("utf-16-le"), "utf-16le", False),
        (lambda: ADDRESS.encode("utf-16-be"), "utf-16be", False),
        (lambda: bytes(9_000_001) + ADDRESS.encode("utf-16-be") + bytes(7), "utf-16be", False),
        (lambda: b"\0a" * 9_001 + ADDRESS.encode("utf-16-le"), "utf-16le", False),
        (lambda: ADDRESS.encode().hex().encode(), "hexadecimal", False),
        (lambda: base64.b64encode(b"Z" + ADDRESS.encode()), "base64 at 1", False),
        (lambda: gzip.compress(b"x" * 9_000_000 + ADDRESS.encode()), "plain", True),
        (lambda: gzip.compress(b"first") + gzip.compress(ADDRESS.encode()), "plain", True),
    ],
)
def test_an_address_is_found_in_any_form(
    tmp_path: Path, write: Callable[[], bytes], form: str, packed: bool
) -> None:
    (tmp_path / "base" / "1").mkdir(parents=True)
    (tmp_path / "base" / "1" / "16384").write_bytes(write())
    (tmp_path / "harmless").write_bytes(b"p31@docomo.example")
    hits = {(hit.file, hit.form, hit.packed) for hit in found(tmp_path)}
    assert ("volume/base/1/16384", form, packed) in hits
    assert {file for file, _, _ in hits} == {"volume/base/1/16384"}


@pytest.mark.parametrize("before", [0, plaintext.CHUNK - 9, plaintext.CHUNK, 2 * plaintext.CHUNK - 1])
def test_an_address_is_told_once_with_its_place_also_across_a_seam(tmp_path: Path, before: int) -> None:
    (tmp_path / "wal").write_bytes(bytes(before) + ADDRESS.encode() + bytes(5))
    assert [(hit.offset, hit.form) for hit in found(tmp_path)] == [(before, "plain")]


def test_a_torn_archive_is_looked_through_as_far_as_it_goes(tmp_path: Path) -> None:
    whole = gzip.compress(ADDRESS.encode() + bytes(range(256)) * 4000)
    (tmp_path / "torn.gz").write_bytes(whole[: len(whole) // 2])
    assert [hit.form for hit in found(tmp_path)] == ["plain"]


def test_what_was_looked_at_is_counted(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(bytes(1000))
    (tmp_path / "link").symlink_to(tmp_path / "one")
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    looked = look([("volume", tmp_path), ("nodes/a.log", tmp_path / "one")], FORMS)
    assert (looked.files, looked.bytes, looked.hits, looked.unread) == (2, 2000, [], [])


def test_a_log_full_of_addresses_is_told_in_a_few_hits(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes((ADDRESS + "\n").encode() * 10_000)
    assert len(found(tmp_path)) == plaintext.MOST_HITS
