"""What came of attempts to see another company's data, in isolation.jsonl: counts once a second, each leak at once.

In a reply any byte of the other company's data is a leak, and so is any reply but a refusal where only that is right.
Counts are told twice: by the kind of the attempt, and by the way in that it took, for a region that nobody asked has
refused nothing.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from harness.probes.intrusions import Attempt
from harness.probes.replies import Answered

FILE: Final = "isolation.jsonl"
#: So many leaks are told with what came, the others without.
SHOWN: Final = 200
LARGEST_SHOWN: Final = 4000


class Record:
    """The file. `ways`: every way in, and the region that it leads to."""

    def __init__(self, path: Path, marks: Sequence[bytes], ways: Mapping[str, str]) -> None:
        self._file = path.open("ab", buffering=0)
        self._marks = marks
        self._kinds: Counter[str] = Counter()
        self._ways: dict[str, Counter[str]] = {}
        self._granted: set[tuple[int, str]] = set()
        self.total: Counter[str] = Counter()
        self._write("ways", regions=dict(ways))

    def answered(self, attempt: Attempt, reply: Answered, way: str) -> None:
        seen = next((mark for mark in self._marks if mark in reply.whole), b"")
        if seen:
            self._leak(attempt, reply, way, f"{seen.decode()} is in the reply")
        elif reply.refused:
            self._count(attempt, way, "refused")
        elif attempt.broadcast and (attempt.broadcast, way) not in self._granted:
            # Whose it is shows at the end, in what the service had recorded.
            self._granted.add((attempt.broadcast, way))
            self._write("granted", broadcast=attempt.broadcast, **_told(attempt, reply, way))
            self._count(attempt, way, "granted")
        elif attempt.refusable and not attempt.broadcast:
            self._leak(attempt, reply, way, "it was not refused")
        else:
            self._count(attempt, way, "own")

    def unanswered(self, attempts: Sequence[Attempt], way: str) -> None:
        for attempt in attempts:
            self._count(attempt, way, "unanswered")

    def tell(self) -> None:
        """The counts since the last time."""
        kinds, self._kinds = self._kinds, Counter()
        ways, self._ways = self._ways, {}
        self._write("counts", **kinds, ways=ways)

    def close(self) -> None:
        self.tell()
        self._write("ended", cpu_s=round(time.process_time(), 3), **self.total)
        self._file.close()

    def _count(self, attempt: Attempt, way: str, outcome: str) -> None:
        self._kinds[f"{attempt.kind}.{outcome}"] += 1
        self._ways.setdefault(way, Counter())[outcome] += 1
        self.total[outcome] += 1

    def _leak(self, attempt: Attempt, reply: Answered, way: str, why: str) -> None:
        self._count(attempt, way, "leaked")
        told = _told(attempt, reply, way)
        if self.total["leaked"] > SHOWN:
            del told["reply"]
        self._write("leak", why=why, **told)

    def _write(self, what: str, **data: object) -> None:
        row = {"at_ns": time.monotonic_ns(), "what": what, **data}
        self._file.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")


def _told(attempt: Attempt, reply: Answered, way: str) -> dict[str, object]:
    return {
        "kind": attempt.kind,
        "endpoint": way,
        "request": attempt.request.decode(errors="replace"),
        "status": reply.status,
        "reply": reply.whole[:LARGEST_SHOWN].decode(errors="replace"),
    }
