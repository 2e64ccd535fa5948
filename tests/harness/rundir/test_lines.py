"""JSON lines: what was added is there, whole, whatever the disk does."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.rundir import Lines, RunDir, read_jsonl
from tests.harness.rundir.disk import full_disk


def test_what_was_added_is_read_back(tmp_path: Path) -> None:
    lines = Lines(tmp_path / "lines")
    rows = [{"n": 1, "text": "安否\n確認"}, {"n": 2, "deep": {"list": [1, None, True]}}, {}]
    for row in rows:
        lines.add(row)
    assert list(read_jsonl(tmp_path / "lines")) == rows


def test_text_that_is_no_text_is_kept_as_far_as_it_is(tmp_path: Path) -> None:
    Lines(tmp_path / "lines").add({"path": "caf\udce9"})
    assert list(read_jsonl(tmp_path / "lines")) == [{"path": "caf?"}]


def numbers(path: Path) -> list[object]:
    return [row["n"] for row in read_jsonl(path)]


def test_a_full_disk_tears_nothing_and_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    lines = Lines(path)
    with full_disk(after=100):
        for n in range(20):
            lines.add({"n": n})
            assert numbers(path) == list(range(len(numbers(path))))
        assert lines.trouble is not None
        assert 0 < len(numbers(path)) < 20
    lines.flush()
    assert lines.trouble is None
    assert numbers(path) == list(range(20))
    lines.add({"n": 20})
    assert numbers(path) == list(range(21))


def test_what_must_be_on_disk_is_there_or_refused(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    lines = Lines(path)
    lines.add_durably({"n": 0})
    with full_disk(after=path.stat().st_size + 5):
        with pytest.raises(OSError, match=r"\S"):
            lines.add_durably({"n": 1})
        assert numbers(path) == [0]
    lines.add_durably({"n": 2})
    assert numbers(path) == [0, 2], "what was refused does not come back later"


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    run = RunDir(tmp_path)
    run.write("plan.yaml", "seed: 1\n")
    with full_disk(after=100), pytest.raises(OSError, match=r"plan\.yaml"):
        run.write("plan.yaml", "seed: 2\n" * 100)
    assert [path.name for path in tmp_path.iterdir()] == ["plan.yaml"]
    assert run.plan == {"seed": 1}


@pytest.mark.parametrize(
    ("written", "found"),
    [
        (b"", []),
        (b'{"n": 1}\n{"n": 2', [{"n": 1}]),
        (b'{"n": 1}\n\x00\x00\x00\n{"n": 2}\n', [{"n": 1}, {"n": 2}]),
        (b'[1]\n3\nnull\n"x"\n\n{"n": 1}\n', [{"n": 1}]),
        (b"[" * 100_000 + b'\n{"n": 1}\n', [{"n": 1}]),
        (b'\xff\xfe\n{"n": 1}\n', [{"n": 1}]),
    ],
)
def test_what_is_no_object_is_skipped(tmp_path: Path, written: bytes, found: list[object]) -> None:
    (tmp_path / "lines").write_bytes(written)
    assert list(read_jsonl(tmp_path / "lines")) == found


def test_no_file_has_no_lines(tmp_path: Path) -> None:
    assert list(read_jsonl(tmp_path / "none")) == []
    assert list(read_jsonl(tmp_path)) == []
