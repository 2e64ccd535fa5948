"""Finding a mistake in the log: the transaction that deleted from a table, or dropped tables, and its commit.

`pg_waldump` reads the archived log; what it shows of a record's place is compared with the table's file.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from topology.platform.backup import positions
from topology.platform.backup.generations import Generation
from topology.platform.backup.restore import Store
from topology.platform.backup.settings import programs

_TRANSACTION: Final = re.compile(r"tx: +([0-9]+), lsn: ([0-9A-F/]+)")
_COMMIT: Final = re.compile(r"desc: COMMIT ([0-9-]+ [0-9:.]+) UTC(?:.*?; rels: ([^;]+))?")
_DELETE: Final = "desc: DELETE"


@dataclass(frozen=True)
class Mistake:
    """`transaction` was committed at `at`, `position` in the log. `rows` is 0 where tables were dropped."""

    transaction: int
    at: datetime
    position: int
    rows: int


def find(store: Store, generation: Generation, log: Path, file: str | None, database: int) -> list[Mistake]:
    """Those since a generation, oldest first. `log`: a folder with the log in plain files.

    `file` is the table's, as `base/5/16400`; None where it is gone: then what dropped tables of that database.
    """
    deletes: dict[int, int] = {}
    found = []
    for line in _records(store, generation, log):
        about = _TRANSACTION.search(line)
        if about is None:
            continue
        number = int(about[1])
        if _DELETE in line:
            if file is not None and f"rel 1663/{file.removeprefix('base/')} " in line:
                deletes[number] = deletes.get(number, 0) + 1
        elif commit := _COMMIT.search(line):
            dropped = [name for name in (commit[2] or "").split() if name.startswith(f"base/{database}/")]
            if number in deletes if file is not None else dropped:
                at = datetime.fromisoformat(commit[1]).replace(tzinfo=UTC)
                found.append(Mistake(number, at, positions.lsn(about[2]), deletes.get(number, 0)))
    return found


def _records(store: Store, generation: Generation, log: Path) -> Iterator[str]:
    """Of each timeline from where the one before it was left."""
    latest, steps = store.archive.chain()
    beginnings = {generation.timeline: generation.start}
    beginnings |= {step.timeline: step.begin for step in steps if step.timeline > generation.timeline}
    for timeline, begin in sorted(beginnings.items()):
        if timeline > latest:
            continue
        command = [
            str(programs() / "pg_waldump"),
            f"--path={log}",
            f"--timeline={timeline}",
            f"--start={positions.as_text(begin)}",
            "--rmgr=Heap",
            "--rmgr=Transaction",
        ]
        environment = {**os.environ, "LC_ALL": "C", "TZ": "UTC"}
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
        ) as process:
            assert process.stdout is not None
            yield from process.stdout
