"""What goes wrong in one part of a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.mishaps import Mishaps
from harness.rundir import RunDir


def test_each_part_is_said_when_it_begins_and_an_error_ends_that_part_alone(tmp_path: Path) -> None:
    run, said = RunDir(tmp_path), list[str]()
    mishaps = Mishaps(run, said.append)
    with mishaps.noted("healing"):
        assert said == ["healing"]
    with mishaps.noted("reading the final state back"):
        raise OSError("no")
    with mishaps.noted("trying the backups"):
        pass
    assert said[2].startswith("reading the final state back ended with an error")
    assert said[3] == "trying the backups"
    assert [event.data["part"] for event in run.events("run.mishap")] == ["reading the final state back"]
    with pytest.raises(OSError, match="no"):
        mishaps.tell()
