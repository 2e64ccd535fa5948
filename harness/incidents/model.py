"""An incident as it is on record, and in what its two variants must differ. Pure data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final

from harness.duration import Duration
from topology.document import Plain
from topology.map import Title

FILE: Final = "incident.yaml"
AS_HAPPENED: Final = "as-happened"
WITH_COUNTERMEASURES: Final = "with-countermeasures"
VARIANTS: Final = (AS_HAPPENED, WITH_COUNTERMEASURES)


@dataclass(frozen=True)
class Mark:
    """What of a run stands beside a moment on record: see `reading.MARKS` for the kinds."""

    kind: str
    name: str


@dataclass(frozen=True)
class Moment:
    """Something that is on record, so long after the outage began. `ours` is what stands beside it in a replay.

    `apart` says why that comes at another time in a replay, or why there is nothing of ours.
    """

    after: Duration
    what: Title
    source: str
    ours: Mark | None
    apart: Title | None = None


@dataclass(frozen=True)
class Figure:
    """A figure that is on record, in words; nothing is computed with it."""

    what: Title
    value: Title
    source: str


@dataclass(frozen=True)
class Countermeasure:
    name: str
    title: Title
    source: str


@dataclass(frozen=True)
class Bounds:
    """What a measured quantity must be: at least, at most; None: no bound."""

    least: float | None = None
    most: float | None = None

    def hold(self, value: float) -> bool:
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)


@dataclass(frozen=True)
class Difference:
    """One quantity that `check` measures, in which the variants must differ.

    `times`: as it happened it is at least so many times what it is with the countermeasures. `by`: the names of the
    countermeasures that make the difference.
    """

    what: Title
    check: str
    measured: str
    bounds: Mapping[str, Bounds]  # variant -> bounds
    times: float | None
    by: tuple[str, ...]


@dataclass(frozen=True)
class Incident:
    """`loses` are the checks that must fail, and no others may, as it happened; `sources` say what the short names of
    documents stand for; `written` is the file as plain data. `began` is a datetime, or a day where the time of day is
    not on record; None: not even that is.
    """

    name: str
    title: Title
    why: Title
    began: date | None
    sources: Mapping[str, Title]
    figures: tuple[Figure, ...]
    official: tuple[Moment, ...]
    countermeasures: tuple[Countermeasure, ...]
    loses: tuple[str, ...]
    differences: tuple[Difference, ...]
    written: Plain = field(repr=False)
    folder: Path = field(default=Path(), compare=False)

    def scenario(self, variant: str) -> Path:
        """Where the scenario of a variant is."""
        return self.folder / f"{variant}.yaml"
