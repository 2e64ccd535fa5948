"""A run directory: what is asked of it is what was written, and what is none is said to be none."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.rundir import Clock, RunDir
from topology.document import BadInput


def test_the_clock_is_read_back(tmp_path: Path) -> None:
    run = RunDir(tmp_path)
    run.clock = Clock(5, "2026-03-11T05:46:00+00:00", 60.0, 7)
    assert run.clock == Clock(5, "2026-03-11T05:46:00+00:00", 60.0, 7)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{}",
        '{"anchor_ns": "5", "anchor_wall": "2026-03-11T05:46:00+00:00", "scale": 1}',
        '{"anchor_ns": 5, "anchor_wall": "yesterday", "scale": 1}',
        '{"anchor_ns": 5, "anchor_wall": "2026-03-11T05:46:00", "scale": 1}',
        '{"anchor_ns": 5, "anchor_wall": "2026-03-11T05:46:00+00:00", "scale": 0}',
        '{"anchor_ns": 5, "anchor_wall": "2026-03-11T05:46:00+00:00", "scale": NaN}',
        '{"anchor_ns": 5, "anchor_wall": "2026-03-11T05:46:00+00:00", "scale": 1, "start_ns": 1e99}',
    ],
)
def test_what_is_no_clock_is_said_to_be_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "clock.json").write_text(text)
    with pytest.raises(ValueError, match=r"\S"):
        _ = RunDir(tmp_path).clock


def test_what_is_no_event_is_skipped(tmp_path: Path) -> None:
    rows = [
        '{"at_ns": 1, "kind": "steady", "seconds": 2}',
        '{"at_ns": 2}',
        '{"kind": "steady"}',
        '{"at_ns": "3", "kind": "steady"}',
        '{"at_ns": true, "kind": "steady"}',
        '{"at_ns": -1, "kind": "steady"}',
        f'{{"at_ns": {10**30}, "kind": "steady"}}',
        '{"at_ns": 4, "kind": 7}',
        '{"at_ns": 5, "kind": "quiet"}',
    ]
    (tmp_path / "events.jsonl").write_text("\n".join(rows))
    events = RunDir(tmp_path).events()
    assert [(event.at_ns, event.kind, dict(event.data)) for event in events] == [
        (1, "steady", {"seconds": 2}),
        (5, "quiet", {}),
    ]
    assert [event.kind for event in RunDir(tmp_path).events("quiet")] == ["quiet"]


def test_an_event_whose_instant_was_known_later_is_read_where_it_belongs(tmp_path: Path) -> None:
    run = RunDir.create(tmp_path, "s", 1)
    before = run.record("before")
    run.record("after")
    run.record_at(before.at_ns + 1, "between")
    assert [event.kind for event in run.events()] == ["before", "between", "after"]


def test_the_plan_is_read_as_it_was_written(tmp_path: Path) -> None:
    run = RunDir(tmp_path)
    run.write("plan.yaml", 'seed: 7\nareas: ["350"]\nat: 1:30\non: 2020-01-01\n')
    assert run.plan == {"seed": 7, "areas": ["350"], "at": "1:30", "on": "2020-01-01"}


@pytest.mark.parametrize("text", [b"", b"[1]", b"a: [", b"\xff\xfe", b"a: &a [*a]", b"\0"])
def test_what_is_no_plan_is_said_to_be_none(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "plan.yaml").write_bytes(text)
    with pytest.raises(BadInput):
        _ = RunDir(tmp_path).plan


def test_a_run_without_a_plan_has_none(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        _ = RunDir(tmp_path).plan
