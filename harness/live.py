"""The run as it happens, for the person who watches: nodes coming up, the timeline, who is served where."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Final, Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from harness.rundir import Json

PLAIN_EVERY_S: Final = 5.0
EVENTS_SHOWN: Final = 8


class Show(Protocol):
    """What the conductor tells whoever watches. Every call returns at once."""

    def say(self, text: str) -> None: ...

    def nodes(self, healthy: int, of: int) -> None: ...

    def tick(
        self, at_s: float, ends_s: float, load: Mapping[str, Json], probes: Mapping[str, Json]
    ) -> None: ...


def greens(probes: Mapping[str, Json]) -> Mapping[str, Mapping[str, bool]]:
    """capability -> vantage -> served, out of a line of the probes."""
    green = probes.get("green")
    if not isinstance(green, Mapping):
        return {}
    return {
        capability: {vantage: bool(served) for vantage, served in row.items()}
        for capability, row in green.items()
        if isinstance(row, Mapping)
    }


def watching(title: str, marks: Sequence[tuple[float, str]]) -> LiveShow | PlainShow:
    """The screen, where the terminal can draw it: on one that cannot move its cursor nothing of it would be seen."""
    redraws = sys.stderr.isatty() and not Console(stderr=True).is_dumb_terminal
    return LiveShow(title, marks) if redraws else PlainShow()


class PlainShow:
    """A line a few seconds, for logs and for CI."""

    def __init__(self) -> None:
        self._spoken_s = 0.0
        self._healthy = -1

    def __enter__(self) -> PlainShow:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        return None

    def say(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    def nodes(self, healthy: int, of: int) -> None:
        if healthy != self._healthy and (healthy == of or time.monotonic() - self._spoken_s > 1.0):
            self._healthy, self._spoken_s = healthy, time.monotonic()
            self.say(f"nodes healthy: {healthy} of {of}")

    def tick(self, at_s: float, ends_s: float, load: Mapping[str, Json], probes: Mapping[str, Json]) -> None:
        if time.monotonic() - self._spoken_s < PLAIN_EVERY_S:
            return
        self._spoken_s = time.monotonic()
        red = sorted(
            {
                f"{name}@{vantage}"
                for name, row in greens(probes).items()
                for vantage, ok in row.items()
                if not ok
            }
        )
        state = "red: " + ", ".join(red) if red else "all green"
        answered, failed = load.get("answered", 0), load.get("failed", 0)
        self.say(f"{at_s:6.1f} s of {ends_s:g}: answered {answered}, failed tries {failed}; {state}")


class LiveShow:
    """The same as a screen that redraws itself."""

    def __init__(self, title: str, marks: Sequence[tuple[float, str]]) -> None:
        self._title, self._marks = title, marks
        self._events: list[str] = []
        self._healthy, self._of = 0, 0
        self._at_s, self._ends_s = 0.0, 0.0
        self._load: Mapping[str, Json] = {}
        self._probes: Mapping[str, Json] = {}
        self._rate = 0.0
        self._live = Live(self._draw(), console=Console(stderr=True), refresh_per_second=4, transient=True)

    def __enter__(self) -> LiveShow:
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._live.__exit__(kind, error, at)

    def say(self, text: str) -> None:
        self._events.append(text)
        self._live.update(self._draw())

    def nodes(self, healthy: int, of: int) -> None:
        self._healthy, self._of = healthy, of
        self._live.update(self._draw())

    def tick(self, at_s: float, ends_s: float, load: Mapping[str, Json], probes: Mapping[str, Json]) -> None:
        if at_s > self._at_s and load is not self._load:
            self._rate = max(0.0, number(load, "answered") - number(self._load, "answered"))
        self._at_s, self._ends_s, self._load, self._probes = at_s, ends_s, load, probes
        self._live.update(self._draw())

    def _draw(self) -> Panel:
        parts: list[Table | Text] = [self._progress()]
        if self._load:
            parts.append(
                Text(
                    f"answered {number(self._load, 'answered'):.0f} ({self._rate:.0f}/s)   "
                    f"failed tries {number(self._load, 'failed'):.0f}   "
                    f"waiting {number(self._load, 'waiting'):.0f}   "
                    f"p95 {number(self._load, 'p95_ms'):.0f} ms"
                )
            )
        parts.append(capabilities(self._probes))
        parts.append(Text("\n".join(self._events[-EVENTS_SHOWN:]), style="dim"))
        return Panel(Group(*parts), title=self._title, title_align="left")

    def _progress(self) -> Table:
        grid = Table.grid(padding=(0, 1))
        grid.add_row(
            "nodes",
            ProgressBar(self._of or 1, self._healthy, width=40),
            f"{self._healthy} of {self._of} healthy",
        )
        if self._ends_s:
            following = [f"{name} at {at:g} s" for at, name in self._marks if at > self._at_s][:1]
            bar = ProgressBar(self._ends_s, max(0.0, self._at_s), width=40)
            grid.add_row(
                "timeline",
                bar,
                f"{self._at_s:5.1f} of {self._ends_s:g} s  " + "next: ".join(["", *following]),
            )
        return grid


def capabilities(probes: Mapping[str, Json]) -> Table:
    """Each capability at each carrier: served or down."""
    green = greens(probes)
    vantages = sorted({vantage for row in green.values() for vantage in row})
    table = Table("", *vantages, box=None)
    for capability, row in green.items():
        cells = [
            Text("served", "green") if row[v] else Text("DOWN", "bold red") for v in vantages if v in row
        ]
        padded = [cells.pop(0) if v in row else Text("") for v in vantages]
        table.add_row(capability, *padded)
    return table


def number(row: Mapping[str, Json], name: str) -> float:
    value = row.get(name)
    return float(value) if isinstance(value, int | float) else 0.0
