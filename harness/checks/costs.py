"""What happened to answers and mails in a span of a run: the cost of whatever stood open then.

That they happened then does not say why: two things that stood open at once are both told what both cost.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from harness.checks import answers, mail
from harness.checks.columns import Flags, Ints, ints, is_one_of, rows
from harness.checks.legs import NEVER
from harness.checks.recording import Recording
from harness.rundir import Json


@dataclass(frozen=True)
class Cost:
    """Of the citizens' answers that were to be sent in that time, those that were refused or failed and those of which
    nobody knows (time-outs), and whose they were; of the answers acknowledged in it, those that were lost. Of the mails
    that were on their way in it, those that were lost, and those that came out late. None: it was not read back.
    """

    failed: int
    unknown: int
    people: int
    answers_lost: int | None
    mails_late: int | None
    mails_lost: int | None

    def row(self) -> dict[str, Json]:
        return {**vars(self)}


class Costs:
    """Of one recording, which is read once."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording

    def between(self, from_ns: int, until_ns: int) -> Cost:
        """From the first instant until before the second."""
        intended_ns, person, failed, unknown = self._tries
        then = (intended_ns >= from_ns) & (intended_ns < until_ns)
        wrong = then & (failed | unknown)
        lost_ns = self._lost_ns
        late, lost = self._mails(from_ns, until_ns)
        return Cost(
            failed=int((then & failed).sum()),
            unknown=int((then & unknown).sum()),
            people=len(np.unique(person[wrong])),
            answers_lost=None
            if lost_ns is None
            else int(((lost_ns >= from_ns) & (lost_ns < until_ns)).sum()),
            mails_late=late,
            mails_lost=lost,
        )

    @cached_property
    def _tries(self) -> tuple[Ints, Ints, Flags, Flags]:
        table = self._recording.operations
        sent = rows(table, is_one_of(table, "kind", "answer"))
        return (
            ints(sent, "intended_ns"),
            ints(sent, "key"),
            is_one_of(sent, "outcome", "fail"),
            is_one_of(sent, "outcome", "info"),
        )

    @cached_property
    def _lost_ns(self) -> Ints | None:
        return answers.lost_ns(self._recording)

    @cached_property
    def _judged(self) -> mail.Judged | None:
        return mail.judged(self._recording)

    def _mails(self, from_ns: int, until_ns: int) -> tuple[int | None, int | None]:
        """Late and lost ones: composed before it was over, and not yet out when it began."""
        judged = self._judged
        if judged is None:
            return None, None
        fates = judged.fates
        out_ns = np.where(fates.lost, NEVER, fates.out_ns)
        under_way = fates.composed & (fates.composed_ns < until_ns) & (out_ns >= from_ns)
        return int((judged.late & under_way).sum()), int((fates.lost & under_way).sum())
