"""Reading back onto a disk that has no room: recorded, and the run goes on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from harness.readback import EXPORTS, read_back
from harness.rundir import RunDir
from harness.runtime import Completed
from tests.harness.rundir.disk import full_disk
from topology.map import Map, Node

ROWS = b'{"person": 1}\n' * 2000
MAILS = [{"id": f"{n}@x", "to": "a", "at_ns": n, "result": "ok", "sent_at_ns": n} for n in range(900)]
LEGS = ("composed", "submitted", "relayed", "stored", "noticed")


class Exporter:
    """Every node gives out the same rows, and the same mails."""

    def exec(self, node: Node, argv: Sequence[str], timeout_s: float, stdin: bytes = b"") -> Completed:
        mails = "".join(json.dumps(mail) + "\n" for mail in MAILS).encode()
        return Completed(0, mails if argv[0] == "sh" or argv[-1] == "outbox" else ROWS, b"")


def test_what_finds_no_room_is_recorded_and_the_rest_goes_on(replica: Map, tmp_path: Path) -> None:
    run = RunDir.create(tmp_path, "calm", 1)
    parts = [*EXPORTS, *(f"mail/{leg}" for leg in LEGS)]
    with full_disk(after=20_000):
        read_back(Exporter(), replica, run)  # type: ignore[arg-type]
    assert [event.data["what"] for event in run.events("readback.failed")] == parts
    assert run.events("readback") == []
    read_back(Exporter(), replica, run)  # type: ignore[arg-type]
    assert [event.data["what"] for event in run.events("readback")] == parts
