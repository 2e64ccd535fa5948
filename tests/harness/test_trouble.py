"""Trouble that a user may have: output nobody reads, run directories in any state, folders in use."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from harness import standing
from harness.cli import CANNOT_RUN, trouble
from harness.commands.outcome import judged
from harness.rundir import RunDir
from harness.rundir.verdict import Verdict
from harness.sweeping import sweep
from reports import run as report
from tests.commands import environment, harness

GARBAGE = bytes(range(256)) * 12
PARSED = (
    "events.jsonl",
    "undo.jsonl",
    "host.jsonl",
    "clock.json",
    "plan.yaml",
    "topology.yml",
    "databases.arrow",
)
FOLDERS = (
    "history/a.arrow",
    "probes/a.arrow",
    "mail/stored.arrow",
    "mail/composed.arrow",
    "final/answers.jsonl",
)

ODD: Mapping[str, str] = {
    "events.jsonl": '{"at_ns": 1}\n[]\n{"at_ns": 5, "kind": "run.started", "scenario": [1], "seed": "x"}\n'
    '{"at_ns": 6, "kind": "fault.injecting"}\n{"at_ns": 7, "kind": "fault.proven", "fault": {"a": 1}}\n'
    '{"at_ns": 1e99, "kind": "run.ended"}\n{"at_ns": 8, "kind": "node.died", "log": 3, "node": "\\ud800\\u0000"}\n',
    "clock.json": '{"anchor_ns": "x", "anchor_wall": "yesterday", "scale": 0, "start_ns": "q"}',
    "plan.yaml": "timeline: 3\nexpect: []\nscenario: {title: 7}\nseed: [1]\n",
    "host.jsonl": "3\n{}\n",
}


def empty(run: Path) -> None:
    (run / "events.jsonl").touch()


def garbled(run: Path) -> None:
    for name in (*PARSED, *FOLDERS):
        (run / name).parent.mkdir(exist_ok=True)
        (run / name).write_bytes(GARBAGE)


def odd(run: Path) -> None:
    for name, text in ODD.items():
        (run / name).write_text(text)


def folders(run: Path) -> None:
    """Folders where files should be."""
    empty(run)
    for name in (*PARSED[1:], *FOLDERS):
        (run / name).mkdir(parents=True)


@pytest.mark.parametrize("left", [empty, garbled, odd, folders])
def test_whatever_is_left_of_a_run_is_judged_unknown_and_reported(
    tmp_path: Path, left: Callable[[Path], None]
) -> None:
    left(tmp_path)
    assert judged(RunDir(tmp_path)).verdict is Verdict.UNKNOWN
    assert (tmp_path / "verdict.json").exists()
    assert (tmp_path / "junit.xml").exists()
    assert report.write(RunDir(tmp_path)).stat().st_size > 0


def test_a_verdict_that_cannot_be_written_is_told_all_the_same(tmp_path: Path) -> None:
    run = tmp_path / "calm" / "run"
    run.mkdir(parents=True)
    empty(run)
    for name in (".verdict.json.partial", ".junit.xml.partial"):
        (run / name).mkdir()
    ran = harness("check", "calm/run", "--json", runs=tmp_path)
    assert ran.status == 3, ran
    assert '"verdict": "unknown"' in ran.stdout
    assert f"{run}/verdict.json" in ran.stderr
    assert not (run / "verdict.json").exists()


def command(*argv: str, **extra: str) -> tuple[list[str], dict[str, str]]:
    return [sys.executable, "-m", "harness", *argv], environment(extra)


def test_a_reader_who_goes_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").touch()
    for argv, status in ((("list",), 0), (("check", str(tmp_path)), 3)):
        reading, writing = os.pipe()
        os.close(reading)
        words, given = command(*argv)
        done = subprocess.run(
            words, env=given, stdout=writing, stderr=subprocess.PIPE, text=True, check=False
        )
        os.close(writing)
        assert (done.returncode, done.stderr) == (status, "")


def test_output_that_is_closed_is_no_error() -> None:
    words, given = command("list")
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" >&- 2>&-', "sh", *words], env=given, stderr=subprocess.PIPE, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_output_that_finds_no_room_is_said() -> None:
    words, given = command("list")
    with open("/dev/full", "w") as full:
        done = subprocess.run(words, env=given, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 4
    assert done.stderr == "harness: the system: No space left on device\n"


def test_where_no_run_can_be_recorded_another_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="--runs FOLDER` puts runs elsewhere") as caught:
        RunDir.create(tmp_path / "file", "calm", 1)
    assert trouble(caught.value)[1] == CANNOT_RUN


def test_a_disk_without_room_is_told_with_what_makes_room() -> None:
    says, status = trouble(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "runs/x"))
    assert (says.startswith("runs/x: No space left on device"), "harness clean" in says, status) == (
        True,
        True,
        4,
    )


def test_what_stands_outlives_a_disk_that_takes_no_state(tmp_path: Path) -> None:
    (tmp_path / ".up.json").mkdir()
    standing.write(tmp_path, standing.State(1, 1.0, "", "", {}))
    assert not (tmp_path / standing.STATE).exists()


def test_a_terminal_without_japanese_shows_the_rest() -> None:
    words, given = command("plan", "calm", PYTHONIOENCODING="latin-1:strict")
    done = subprocess.run(words, env=given, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("calm: Nothing breaks (????)")


def test_paths_with_any_letters(tmp_path: Path) -> None:
    folder = tmp_path / "ゾーン A の喪失"
    folder.mkdir()
    (folder / "events.jsonl").touch()
    ran = harness("check", str(folder), runs=folder)
    assert ran.status == 3, ran
    assert harness("report", str(folder), "--lang", "ja", runs=folder).stdout == f"{folder}/report.html\n"


@pytest.mark.parametrize("everything", [False, True])
def test_cleaning_leaves_a_run_alone_that_goes_on(tmp_path: Path, everything: bool) -> None:
    on, over = (RunDir.create(tmp_path, "calm", seed) for seed in (1, 2))
    for run in (on, over):
        run.record("run.started")
        (run.path / "local" / "volume").mkdir(parents=True)
    with on.held():
        swept = sweep(tmp_path, everything)
        assert (swept.busy, swept.folders, swept.kept) == ((on.name,), 1, ())
        assert (on.path / "local" / "volume").exists()
        assert not (over.path / "local").exists()
        assert over.path.exists() is not everything
    assert sweep(tmp_path, everything).busy == ()
    assert not (on.path / "local").exists()
