"""Verdicts and findings: what a check says of a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from harness.rundir import Json


class Verdict(StrEnum):
    """Three-valued; merged by the worst."""

    PASS = "pass"
    UNKNOWN = "unknown"
    FAIL = "fail"

    @staticmethod
    def worst(verdicts: Iterable[Verdict]) -> Verdict:
        """The worst of them; of none: unknown, for nothing was proven."""
        order = list(Verdict)
        return max(verdicts, key=order.index, default=Verdict.UNKNOWN)


@dataclass(frozen=True)
class Finding:
    """What one check measured, what was expected of it, and the evidence.

    `measured` and `expected` are flat: names with their unit (`write_rto_s`) to numbers, words or null.
    `evidence` is for the reader who doubts: ids of lost answers, the seconds of a gap; at most some hundred rows.
    `why` is one sentence in plain words.
    `detail` holds more that reports draw (tables per carrier or company); it does not decide anything.
    `asked` is false where the check was not part of the run: there was nothing to look at, nothing was expected of it,
    and nothing is amiss. Such a pass proves nothing, and is not told as one; merged with others it still counts as a
    pass, so that a run is not judged by what it was never meant to try.
    """

    verdict: Verdict
    why: str
    measured: Mapping[str, Json] = field(default_factory=dict)
    expected: Mapping[str, Json] = field(default_factory=dict)
    evidence: tuple[Json, ...] = ()
    detail: Mapping[str, Json] = field(default_factory=dict)
    asked: bool = True
