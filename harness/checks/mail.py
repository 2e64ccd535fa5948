"""Mail: nothing vanishes. Every mail composed is in its addressee's mailbox, or bounced, or still queued.

    composed = stored + bounced + queued + misdelivered + lost

Counted at each leg, where the counts add up too (see `ledger`); a mail that was handed on and never seen again is lost
on the leg that should have had it next, and is named with where it was last seen. A queue that was seen empty at the
end holds nothing: what was in it is lost, and not "still queued".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from harness.checks import mail_detail
from harness.checks.columns import Flags
from harness.checks.expectations import asked, expectations
from harness.checks.fates import Fates
from harness.checks.legs import HOSTED, LEGS, NEVER, Mails, read
from harness.checks.recording import Recording, number
from harness.checks.terms import Breach, Term, conclude, fail, quantity, sentence, units, unknown
from harness.checks.waits import backlogs, instants
from harness.rundir import Json
from harness.rundir.verdict import Finding, Verdict

TERMS: Final = {
    "lost": Term("count", "lost", "at most", "mails lost", default=0),
    "vanished": Term(
        "count", "vanished", "at most", "mails that vanished after somebody had taken them over"
    ),
    "misdelivered": Term(
        "count", "misdelivered", "at most", "mails in a mailbox that is not their addressee's", default=0
    ),
    "uncomposed": Term("count", "uncomposed", "at most", "mails stored that nobody composed", default=0),
    "duplicated": Term("count", "duplicated", "at most", "mails stored once too often"),
    "bounced": Term("count", "bounced", "at most", "mails bounced"),
    "queued": Term("count", "queued", "at most", "mails still queued at the end"),
    "unnoticed": Term("count", "unnoticed", "at most", "mails stored whose notice never reached a handset"),
    "reordered": Term("count", "reordered", "at most", "mails stored after a later one"),
    "by_hand": Term("count", "by_hand", "at least", "mails found by hand, without a notice"),
    "late": Term("count", "late", "at most", "mails out late", deadline=True),
    "all_out_within": Term(
        "drill-duration",
        "all_out_drill_s",
        "at most",
        "from the broadcast until all mail was out",
        deadline=True,
    ),
    "others_out_within": Term(
        "drill-duration",
        "others_out_drill_s",
        "at most",
        "from the broadcast until all mail was out to receivers that put nothing off",
        deadline=True,
    ),
}
EXPECTS: Final = units(TERMS)

#: All mail is out before the traffic peak, 30 to 60 minutes after the quake (the vendor's white paper on
#: operations); later than this is late.
LATE_DRILL_S: Final = 30 * 60.0
#: Every mail that its addressee never gets is named; of the others these many of each kind.
MOST_EVIDENCE: Final = 100
_NEEDED: Final = LEGS[:4]


@dataclass(frozen=True)
class Judged:
    """What is made of the mails of a recording: which are late, how far each came when."""

    recording: Recording
    fates: Fates
    late_s: float  # drill seconds

    @property
    def scale(self) -> float:
        return self.recording.clock.scale

    @cached_property
    def late(self) -> Flags:
        ended_ns = max((event.at_ns for event in self.recording.events), default=0)
        return self.fates.late(round(self.late_s / self.scale * 1e9), ended_ns)

    def out_drill_s(self, mails: Flags) -> float | None:
        """From the broadcast until the last of these was out; None if one never was."""
        out_ns, since_ns = self.fates.out_ns[mails], self.fates.composed_ns[mails]
        if not (out_ns < NEVER).all():
            return None
        return round(float((out_ns - since_ns).max(initial=0)) / 1e9 * self.scale, 1)


def check(recording: Recording) -> Finding:
    mails = read(recording)
    hosted = HOSTED if recording.topology and recording.topology.hosts else ()
    missing = [leg for leg in (*_NEEDED, *hosted) if leg not in mails.way]
    unread = f"the legs {', '.join(missing)} of the mails were not read back whole"
    if "composed" in missing or "stored" in missing:
        return Finding(Verdict.UNKNOWN, sentence(unread), expected=recording.stated("mail"))
    within_s = _within_s(recording)
    told = _judged(recording, mails)
    fates = told.fates
    legs = mail_detail.legs(fates, told.scale, told.late_s)
    measured = _measured(told, legs)
    stuck = fates.composed & (fates.out_ns == NEVER)
    breaches = []
    if missing:
        measured["lost"] = measured["vanished"] = None
        breaches.append(unknown(unread))
    elif within_s is not None and stuck.any():
        breaches.append(_never_out(recording, fates, stuck, within_s))
    if fates.waiting.any() and not fates.drained:
        breaches.append(unknown(f"{fates.waiting.sum()} mails were still on their way when the run was over"))
    held = expectations(recording, "mail", TERMS, measured, judged=["all_out_within"] if stuck.any() else [])
    breaches = [*held.breaches, *breaches]
    return Finding(
        *conclude(breaches, _well(measured)),
        measured,
        held.expected,
        _evidence(told),
        {
            "legs": legs,
            "ledger": mail_detail.accounts(fates),
            "domains": mail_detail.domains(fates, told.late, told.scale),
            "hosts": mail_detail.hosts(fates, recording.at_s),
            "backlogs": _backlogs(told),
            "waiting_over_time": mail_detail.waiting(fates, recording.at_s),
        },
        asked(recording, "mail", looked=bool(fates.composed.any()), breaches=breaches),
    )


def judged(recording: Recording) -> Judged | None:
    """Every mail's fate; None where the legs were not read back whole."""
    mails = read(recording)
    return _judged(recording, mails) if all(leg in mails.legs for leg in _NEEDED) else None


def _judged(recording: Recording, mails: Mails) -> Judged:
    within_s = _within_s(recording)
    late_s = LATE_DRILL_S if within_s is None else within_s
    return Judged(recording, Fates(mails, drained=_drained(recording)), late_s)


def _within_s(recording: Recording) -> float | None:
    """In which all mail is to be out, as the scenario states it, in drill seconds."""
    deadline_s = recording.stated("mail").get("all_out_within")
    return float(deadline_s) if isinstance(deadline_s, int | float) else None


def _restored_drill_s(judged: Judged) -> float | None:
    """From the first fault until the last late mail was in its mailbox, drill seconds; None where one never was."""
    fates, faults = judged.fates, judged.recording.faults
    if not faults or fates.lost.any():
        return None
    boxed_ns = fates.mails.firsts(fates.mails.leg("stored"), fates.right)[fates.stored]
    late = boxed_ns - fates.composed_ns[fates.stored] > round(judged.late_s / judged.scale * 1e9)
    if not late.any():
        return 0.0
    last_ns = int(boxed_ns[late].max())
    return round(max(0, last_ns - min(fault.at_ns for fault in faults)) / 1e9 * judged.scale, 1)


def _measured(judged: Judged, legs: Mapping[str, Mapping[str, Json]]) -> dict[str, Json]:
    fates, composed = judged.fates, judged.fates.composed
    measured: dict[str, Json] = {
        "composed": int(composed.sum()),
        "stored": int(fates.stored.sum()),
        "bounced": int(fates.bounced.sum()),
        "queued": int(fates.queued.sum()),
        "lost": int(fates.lost.sum()) + _unwritten(judged.recording, int(composed.sum())),
        "vanished": int(fates.vanished.sum()),
        "misdelivered": int(fates.strays[composed].sum()),
        "duplicated": int(np.maximum(fates.copies[composed] - 1, 0).sum()),
        "uncomposed": int(((fates.strays > 0) & ~composed).sum()),
        "all_out_drill_s": judged.out_drill_s(composed),
        "others_out_drill_s": judged.out_drill_s(fates.unhindered) if fates.unhindered.any() else None,
        "late": int(judged.late.sum()) if "relayed" in legs else None,
        "reordered": legs["stored"]["reordered"],
    }
    if "noticed" in fates.mails.legs:
        measured["unnoticed"] = int((fates.stored & ~fates.noticed).sum())
    if fates.mails.hosted:
        measured["brought_back"] = int(fates.brought_back.sum())
    if judged.recording.faults:
        measured["restored_drill_s"] = _restored_drill_s(judged)
    if "opened" in fates.mails.legs:
        measured["opened"] = int(fates.opened.sum())
        measured["by_hand"] = int(fates.by_hand.sum())
    return measured


def _unwritten(recording: Recording, composed: int) -> int:
    """Mails that the broadcasts promised and nobody composed."""
    rows = recording.final("broadcasts")
    if rows is None:
        return 0
    promised = sum(number(row, "people") for row in rows if not row.get("standing"))
    return max(0, promised - composed)


def _drained(recording: Recording) -> bool:
    quiet = recording.first("quiet")
    return quiet is not None and quiet.data.get("drained") is True


def _never_out(recording: Recording, fates: Fates, stuck: Flags, deadline_s: float) -> Breach:
    """A failure once the deadline has passed; before that nobody knows."""
    ended_ns = max(event.at_ns for event in recording.events)
    waited_s = (ended_ns - int(fates.composed_ns[stuck].min())) / 1e9 * recording.clock.scale
    says = f"{int(stuck.sum())} mails never got out"
    if waited_s > deadline_s:
        return fail(f"{says}, expected within {quantity(deadline_s, 'drill-duration')}")
    return unknown(f"{says} while the run lasted")


def _backlogs(judged: Judged) -> dict[str, Json]:
    """How many mails waited where at the worst, and when the last of them went on; times in real seconds."""
    at_s = judged.recording.at_s
    return {
        place: {
            "peak": found.peak,
            "peak_s": at_s(found.peak_ns) if found.peak else None,
            "last_s": None if found.last_ns is None else at_s(found.last_ns),
            "stayed": found.left,
        }
        for place, found in backlogs(judged.fates, instants(judged.fates))
    }


def _evidence(judged: Judged) -> tuple[Json, ...]:
    """Ids only: whose addresses they are stays where it is. Each with where it was last seen, and when; one that an
    archive brought back, with where it had vanished.
    """
    fates, at_s = judged.fates, judged.recording.at_s
    lost = {f"lost before {leg}": flags for leg, flags in fates.lost_at.items()}
    lost["vanished, brought back"] = fates.brought_back
    lost["misdelivered"] = fates.composed & (fates.strays > 0)
    lost["bounced"] = fates.bounced
    others = {
        "uncomposed": ~fates.composed & (fates.strays > 0),
        "duplicated": fates.composed & (fates.copies > 1),
        "queued": fates.queued,
        "late": judged.late,
    }
    kinds = {what: np.flatnonzero(flags) for what, flags in lost.items()}
    kinds |= {what: np.flatnonzero(flags)[:MOST_EVIDENCE] for what, flags in others.items()}
    rows: list[Json] = []
    for what, named in kinds.items():
        for mail in named.tolist():
            composed_ns = int(fates.composed_ns[mail])
            back = what == "vanished, brought back"
            last = fates.discarded_at(mail) if back else fates.last_seen(mail)
            rows.append(
                {
                    "what": what,
                    "id": fates.mails.ids[mail].as_py(),
                    "composed_s": at_s(composed_ns) if composed_ns < NEVER else None,
                    "last_leg": last.leg,
                    "node": last.node,
                    "said": last.result,
                    "last_s": at_s(last.at_ns),
                }
            )
    return tuple(rows)


def _well(measured: Mapping[str, Json]) -> str:
    if not measured["composed"]:
        return "no mail was composed"
    return f"of {measured['composed']:,} mails {measured['stored']:,} are in their addressees' mailboxes, none is lost"
