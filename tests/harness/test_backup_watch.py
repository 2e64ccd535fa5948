"""What the backup nodes say at the end of a run, and that one which says nothing holds up no other."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from pathlib import Path

from harness.backup_watch import try_backups
from harness.rundir import RunDir
from harness.runtime import Completed
from topology.map import Map, Node

ROWS = [{"generation": "g1", "restorable": True}, {"generation": "g2", "restorable": False}]


class Keepers:
    """Tokyo has two generations; Virginia does not come to an end; none answers before all are asked."""

    def __init__(self, number: int) -> None:
        self._asked = threading.Barrier(number)

    def exec(self, node: Node, argv: Sequence[str], timeout_s: float, stdin: bytes = b"") -> Completed:
        self._asked.wait(10)
        if node.region == "virginia":
            raise TimeoutError(f"{node.name} did not end")
        return Completed(0, "".join(json.dumps(row) + "\n" for row in ROWS).encode(), b"")


def test_all_are_tried_at_once_and_each_has_its_own_word(whole: Map, tmp_path: Path) -> None:
    run = RunDir.create(tmp_path, "backups", 1)
    nodes = whole.with_role("backup")
    assert [node.region for node in nodes] == ["tokyo", "virginia"]
    try_backups(Keepers(len(nodes)), whole, run)  # type: ignore[arg-type]
    lines = (run.path / "backups" / "verified.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [{"node": nodes[0].name, **row} for row in ROWS]
    (read,), (failed,) = run.events("readback"), run.events("readback.failed")
    assert read.data == {"what": f"backups/{nodes[0].name}", "rows": 2}
    assert failed.data["tried"] == [f"{nodes[1].name} did not end"]
