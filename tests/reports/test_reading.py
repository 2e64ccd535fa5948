"""Reading a run directory: all that is there, and a word on what is not. It never fails."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sample_run import PEOPLE, SCALE, START_NS, Sample

from harness.rundir import RunDir
from reports import reading
from reports.reading import Gap

PARSED = (
    "plan.yaml",
    "topology.yml",
    "clock.json",
    "events.jsonl",
    "host.jsonl",
    "verdict.json",
    "undo.jsonl",
)


def test_a_whole_run_has_no_gaps(sample: Sample) -> None:
    record = reading.read(sample.run)
    assert record.gaps == ()
    assert record.began
    assert (record.scale, record.origin_ns, record.seconds(START_NS + 1_500_000_000)) == (
        SCALE,
        START_NS,
        1.5,
    )
    assert {leg: table.num_rows for leg, table in record.mail.items()} == dict.fromkeys(
        reading.MAIL_LEGS, PEOPLE
    ) | {"opened": 0}  # who opened a mail is not part of the sample
    assert record.topology is not None
    assert list(record.topology.carriers) == ["docomo", "au", "softbank"]


def test_of_nothing_everything_is_missing(tmp_path: Path) -> None:
    record = reading.read(RunDir(tmp_path))
    assert Gap("verdict.json", "absent") in record.gaps
    assert Gap("final", "absent") in record.gaps
    assert (record.clock, record.verdict, record.topology) == (None, None, None)
    assert (record.origin_ns, record.scale, record.began) == (0, 1.0, False)
    assert record.load.num_rows == 0


@pytest.mark.parametrize(
    "garbage", [b"", b"\x00\xff\xfe garbage", b"[1, 2]\n[3]", b"null", b"3", b"{}", b"{: ]"]
)
def test_garbage_is_a_gap(tmp_path: Path, garbage: bytes) -> None:
    for name in (*PARSED, "databases.arrow"):
        (tmp_path / name).write_bytes(garbage)
    for folder in ("history", "mail", "final"):
        (tmp_path / folder).mkdir()
    (tmp_path / "history" / "citizens.arrow").write_bytes(garbage)
    (tmp_path / "mail" / "stored.arrow").write_bytes(garbage)
    (tmp_path / "final" / "answers.jsonl").write_bytes(garbage)
    record = reading.read(RunDir(tmp_path))
    assert record.topology is None
    assert Gap("topology.yml", "unreadable") in record.gaps
    assert record.load.num_rows == record.databases.num_rows == record.mail["stored"].num_rows == 0


def test_torn_streams_give_what_was_whole(
    sample: Sample, own_run: RunDir, torn: Callable[[str], None]
) -> None:
    torn("events.jsonl")
    torn("final/answers.jsonl")
    record = reading.read(own_run)
    assert 0 < len(record.events) < len(RunDir(own_run.path.parent / own_run.path.name).events()) + 1
    assert len(record.final["answers"]) > 0
    assert not any(gap.file == "events.jsonl" for gap in record.gaps)


def test_a_run_that_never_began_counts_from_its_first_event(own_run: RunDir) -> None:
    clock = own_run.clock
    own_run.clock = type(clock)(clock.anchor_ns, clock.anchor_wall, clock.scale)
    record = reading.read(own_run)
    assert not record.began
    assert record.seconds(own_run.events()[0].at_ns) == 0
