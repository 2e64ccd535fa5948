"""The run directory: the one place between those who act and those who only read.

runs/<scenario>/<time>-<seed>/
  plan.yaml        what was going to happen: scenario, topology, seed, versions
  topology.yml     the compose file as it was run, overrides laid over it
  clock.json       the run's two clocks, see `Clock`
  events.jsonl     what happened, one JSON object a line, see `RunDir.record`
  undo.jsonl       how to take back each fault, on disk before the fault is injected
  host.jsonl       what this machine was like, twice a second
  history/*.arrow  every operation of the load, see `history`
  probes/*.arrow   the same for the probes
  databases.arrow  who said to be primary, ten times a second, see `history.DATABASE_SCHEMA`
  final/           the service's state read back at the end, *.jsonl
  mail/            every leg of every mail: composed, submitted, relayed, stored, noticed .arrow
  nodes/*.log      what each node printed
  verdict.json junit.xml report.html figures/
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

Json: TypeAlias = "str | int | float | bool | Sequence[Json] | Mapping[str, Json] | None"


@dataclass(frozen=True)
class Clock:
    """A run's clocks. All times in a run directory are CLOCK_MONOTONIC nanoseconds of the host that ran it.

    `start_ns` is when the timeline began (0s of the scenario), 0 until then; `scale` is drill seconds to a real second.
    """

    anchor_ns: int
    anchor_wall: str
    scale: float
    start_ns: int = 0

    @classmethod
    def now(cls, scale: float) -> Clock:
        return cls(time.monotonic_ns(), datetime.now(UTC).isoformat(), scale)

    def wall(self, at_ns: int) -> datetime:
        """The wall-clock time of a monotonic instant."""
        elapsed_s = (at_ns - self.anchor_ns) / 1e9
        return datetime.fromtimestamp(datetime.fromisoformat(self.anchor_wall).timestamp() + elapsed_s, UTC)

    def seconds(self, at_ns: int) -> float:
        """Real seconds since the timeline began; negative before it."""
        return (at_ns - self.start_ns) / 1e9

    def seconds_now(self) -> float:
        return self.seconds(time.monotonic_ns())


@dataclass(frozen=True)
class Event:
    """One line of events.jsonl: when, what kind, and what there is to say of it."""

    at_ns: int
    kind: str
    data: Mapping[str, Json]


class RunDir:
    """One run directory. Recording is safe from several threads; every line is on disk when the call returns."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()

    @classmethod
    def create(cls, root: Path, scenario: str, seed: int) -> RunDir:
        """Make a new, empty run directory below `root` and point `root/latest` at it."""
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
        path = root / scenario / f"{stamp}-{seed}"
        attempt = 1
        while path.exists():
            attempt += 1
            path = root / scenario / f"{stamp}-{seed}-{attempt}"
        for part in ("history", "probes", "final", "mail", "nodes", "figures"):
            (path / part).mkdir(parents=True)
        link = root / f".latest-{os.getpid()}"
        link.unlink(missing_ok=True)
        link.symlink_to(path.relative_to(root))
        link.replace(root / "latest")
        return cls(path.absolute())

    @property
    def name(self) -> str:
        return f"{self.path.parent.name}/{self.path.name}"

    # -- what happened -----------------------------------------------------------------------------------------

    def record(self, kind: str, **data: Json) -> Event:
        """Append an event, stamped now."""
        event = Event(time.monotonic_ns(), kind, data)
        self._append("events.jsonl", {"at_ns": event.at_ns, "kind": kind, **data})
        return event

    def record_undo(self, **data: Json) -> None:
        """Write down how a fault is taken back, and return only when that is on disk."""
        self._append("undo.jsonl", {"at_ns": time.monotonic_ns(), **data}, sync=True)

    def events(self, *kinds: str) -> list[Event]:
        """The events so far, oldest first, of these kinds or of all; a line that a crash tore is skipped."""
        found = []
        for row in read_jsonl(self.path / "events.jsonl"):
            at_ns, kind = row.pop("at_ns"), row.pop("kind")
            if isinstance(at_ns, int) and isinstance(kind, str) and (not kinds or kind in kinds):
                found.append(Event(at_ns, kind, row))
        return found

    def undos(self) -> list[dict[str, Json]]:
        return list(read_jsonl(self.path / "undo.jsonl"))

    # -- the clock ---------------------------------------------------------------------------------------------

    @property
    def clock(self) -> Clock:
        """Raises FileNotFoundError for a run that never got as far as having one."""
        return Clock(**json.loads((self.path / "clock.json").read_text()))

    @clock.setter
    def clock(self, clock: Clock) -> None:
        self.write("clock.json", json.dumps(asdict(clock)))

    # -- files -------------------------------------------------------------------------------------------------

    def write(self, name: str, text: str) -> Path:
        """Write a file whole or not at all."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.partial")
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
        return path

    def _append(self, name: str, row: Mapping[str, Json], sync: bool = False) -> None:
        line = json.dumps(row, ensure_ascii=False).encode() + b"\n"
        with self._lock, (self.path / name).open("ab", buffering=0) as file:
            file.write(line)
            if sync:
                os.fsync(file.fileno())


def read_jsonl(path: Path) -> Iterator[dict[str, Json]]:
    """The objects of a JSON-lines file; nothing if there is none; a line that a crash tore is skipped."""
    if not path.exists():
        return
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            try:
                row = json.loads(line)
            except ValueError:
                continue
            if isinstance(row, dict):
                yield row
