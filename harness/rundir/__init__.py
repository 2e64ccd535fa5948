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
  replication.arrow  how far each database follows, where there is more than one region
  final/           the service's state read back at the end, *.jsonl
  mail/            every leg of every mail: composed, submitted, relayed, stored, noticed, opened .arrow
  nodes/*.log      what each node printed
  verdict.json junit.xml report.html figures/
"""

from __future__ import annotations

import fcntl
import json
import math
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeGuard

from harness.rundir.lines import Json, Lines, read_jsonl
from topology.document import load

__all__ = ["Clock", "Event", "Json", "Lines", "RunDir", "read_jsonl"]

PLAN: Final = "plan.yaml"
LOCK: Final = ".held"
#: Beyond any clock; also what the tables' 64 bits hold.
_LATEST_NS: Final = 2**63


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

    @classmethod
    def from_json(cls, text: str) -> Clock:
        """Raises ValueError for what is no clock."""
        row = json.loads(text)
        if not isinstance(row, dict):
            raise ValueError(f"no clock: {row!r}")
        anchor_ns, start_ns, scale = row.get("anchor_ns"), row.get("start_ns", 0), row.get("scale")
        if not (_is_instant(anchor_ns) and _is_instant(start_ns)):
            raise ValueError(f"no instants: {anchor_ns!r}, {start_ns!r}")
        if not isinstance(scale, int | float) or not math.isfinite(scale) or scale <= 0:
            raise ValueError(f"no scale: {scale!r}")
        wall = str(row.get("anchor_wall"))
        if datetime.fromisoformat(wall).tzinfo is None:
            raise ValueError(f"a time without its zone: {wall}")
        return cls(anchor_ns, wall, scale, start_ns)

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


def fresh(folder: Path, seed: int) -> Path:
    """A path below a folder at which nothing is yet, called by the time and a seed."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    path, attempt = folder / f"{stamp}-{seed}", 1
    while path.exists():
        attempt += 1
        path = folder / f"{stamp}-{seed}-{attempt}"
    return path


class RunDir:
    """One run directory. Recording is safe from several threads, and goes on when the disk is full: see `Lines`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._events = Lines(path / "events.jsonl")
        self._undos = Lines(path / "undo.jsonl")

    @classmethod
    def create(cls, root: Path, scenario: str, seed: int) -> RunDir:
        """Make a new, empty run directory below `root` and point `root/latest` at it.

        Raises OSError, with what to do, where none can be made.
        """
        try:
            return cls._made(root, fresh(root / scenario, seed))
        except OSError as error:
            says = f"{error.strerror}; `harness --runs FOLDER` puts runs elsewhere"
            raise OSError(error.errno, says, error.filename) from None

    @classmethod
    def _made(cls, root: Path, path: Path) -> RunDir:
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

    # -- who is at work in it ----------------------------------------------------------------------------------

    @contextmanager
    def held(self) -> Iterator[None]:
        """While this context lasts, or until this process ends however it ends, the run is `busy`."""
        with (self.path / LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    @property
    def busy(self) -> bool:
        """Whether somebody holds it."""
        try:
            with (self.path / LOCK).open() as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    # -- what happened -----------------------------------------------------------------------------------------

    def record(self, kind: str, **data: Json) -> Event:
        """Append an event, stamped now."""
        return self.record_at(time.monotonic_ns(), kind, **data)

    def record_at(self, at_ns: int, kind: str, **data: Json) -> Event:
        """Append an event whose instant was known only later."""
        event = Event(at_ns, kind, data)
        self._events.add({"at_ns": event.at_ns, "kind": kind, **data})
        return event

    def record_undo(self, **data: Json) -> None:
        """Write down how a fault is taken back, and return only when that is on disk. Raises OSError if it is not."""
        self._undos.add_durably({"at_ns": time.monotonic_ns(), **data})

    def flush(self) -> None:
        """Write down what a full disk did not take, now that there may be room."""
        self._events.flush()

    def events(self, *kinds: str) -> list[Event]:
        """The events so far, oldest first, of these kinds or of all; a line that is none is skipped."""
        found = []
        for row in read_jsonl(self.path / "events.jsonl"):
            at_ns, kind = row.pop("at_ns", None), row.pop("kind", None)
            if _is_instant(at_ns) and isinstance(kind, str) and (not kinds or kind in kinds):
                found.append(Event(at_ns, kind, row))
        return sorted(found, key=lambda event: event.at_ns)

    def undos(self) -> list[dict[str, Json]]:
        return list(read_jsonl(self.path / "undo.jsonl"))

    # -- the clock ---------------------------------------------------------------------------------------------

    @property
    def clock(self) -> Clock:
        """Raises OSError for a run that never got as far as having one, ValueError for what is none."""
        return Clock.from_json((self.path / "clock.json").read_text(encoding="utf-8"))

    @clock.setter
    def clock(self, clock: Clock) -> None:
        self.write("clock.json", json.dumps(asdict(clock)))

    # -- the plan ----------------------------------------------------------------------------------------------

    @property
    def plan(self) -> Mapping[str, Json]:
        """What was going to happen. Raises FileNotFoundError if it was never written, BadInput for what is no plan."""
        path = self.path / PLAN
        if not path.exists():
            raise FileNotFoundError(path)
        return {key: value.content for key, value in load(path, "a plan")}

    # -- files -------------------------------------------------------------------------------------------------

    def write(self, name: str, text: str) -> Path:
        """Write a file whole or not at all."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.partial")
        try:
            partial.write_text(text, encoding="utf-8", errors="replace")
            partial.replace(path)
        except OSError as error:
            with suppress(OSError):
                partial.unlink(missing_ok=True)
            raise OSError(error.errno, error.strerror, str(path)) from None
        return path


def _is_instant(value: object) -> TypeGuard[int]:
    """CLOCK_MONOTONIC nanoseconds."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _LATEST_NS
