"""What `restore-answers` refuses, so that nobody is told of a trouble that was none."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from harness.faults import Stage
from harness.runbook.commands import answers
from harness.runbook.scene import Refused, Scene
from harness.rundir import Clock, RunDir
from tests.small import two_regions
from topology.map import Map


@pytest.fixture
def beside(tmp_path: Path) -> Scene:
    """Two regions without anything that runs; there has a backup node."""
    small = two_regions()
    backup = replace(small.nodes["b1"], name="backup", role="backup")
    topology = Map(small.name, small.regions, {}, {**small.nodes, "backup": backup})
    run = RunDir.create(tmp_path, "runbooks", 1)
    run.clock = Clock.now(60.0)
    return Scene(Stage(cast(Any, None), topology, topology.nodes["observers"]), run)


def test_a_region_that_keeps_no_backup_is_refused(beside: Scene) -> None:
    with pytest.raises(Refused, match="here has no backup node"):
        answers.restore(beside, {"from": "here"})


def test_where_nothing_is_missing_there_is_nothing_to_bring_back(beside: Scene) -> None:
    with pytest.raises(Refused, match="no answer is missing"):
        answers._nothing(beside, "no answer is missing")


def test_a_performance_that_was_cut_off_after_rows_came_back_goes_on(beside: Scene) -> None:
    beside.run.record("answers.restored", rows=3)
    beside.run.record("runbook.ended", outcome="interrupted")
    assert answers._nothing(beside, "no answer is missing") == "no answer is missing any more"
    beside.run.record("runbook.ended", outcome="proven")
    with pytest.raises(Refused):
        answers._nothing(beside, "no answer is missing")


def test_what_lies_ahead_is_refused(beside: Scene) -> None:
    ahead = datetime.now().astimezone() + timedelta(hours=1)
    with pytest.raises(Refused, match="lies ahead"):
        answers.restore(beside, {"from": "there", "before": ahead.isoformat()})


def test_a_time_of_the_timeline_is_an_instant_of_this_run(beside: Scene) -> None:
    with pytest.raises(Refused, match="59s is a time of a timeline, and none is played"):
        answers.restore(beside, {"from": "there", "before": "59s"})
    clock = beside.run.clock
    beside.run.clock = replace(clock, start_ns=clock.anchor_ns - 100_000_000_000)
    began = datetime.fromisoformat(clock.anchor_wall) - timedelta(seconds=100)
    assert answers._instant(beside, "59500ms") - began == timedelta(seconds=59.5)
