"""Mail: nothing vanishes. Every mail composed is in its addressee's mailbox, or bounced, or still queued.

    composed = stored + bounced + queued + misdelivered + lost

Counted at each leg; a mail that was handed on and never seen again is lost on the leg that should have had it next. A
queue that was seen empty at the end holds nothing: what was in it is lost, and not "still queued".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from harness.checks.columns import Flags, Ints
from harness.checks.expectations import expectations
from harness.checks.fates import Fates
from harness.checks.legs import LEGS, NEVER, read
from harness.checks.recording import Recording, number
from harness.checks.terms import Breach, Term, conclude, fail, quantity, sentence, units, unknown
from harness.rundir import Json
from harness.rundir.verdict import Finding, Verdict

TERMS: Final = {
    "lost": Term("count", "lost", "at most", "mails lost", default=0),
    "misdelivered": Term(
        "count", "misdelivered", "at most", "mails in a mailbox that is not their addressee's", default=0
    ),
    "uncomposed": Term("count", "uncomposed", "at most", "mails stored that nobody composed", default=0),
    "duplicated": Term("count", "duplicated", "at most", "mails stored once too often"),
    "bounced": Term("count", "bounced", "at most", "mails bounced"),
    "queued": Term("count", "queued", "at most", "mails still queued at the end"),
    "unnoticed": Term("count", "unnoticed", "at most", "mails stored whose notice never reached a handset"),
    "reordered": Term("count", "reordered", "at most", "mails stored after a later one"),
    "all_out_within": Term(
        "drill-duration",
        "all_out_drill_s",
        "at most",
        "from the broadcast until all mail was out",
        deadline=True,
    ),
}
EXPECTS: Final = units(TERMS)

#: All mail is out before the traffic peak, 30 to 60 minutes after the quake (the vendor's white paper on
#: operations); later than this is late.
LATE_DRILL_S: Final = 30 * 60.0
MOST_EVIDENCE: Final = 100
_NEEDED: Final = LEGS[:4]


def check(recording: Recording) -> Finding:
    mails = read(recording)
    missing = [leg for leg in _NEEDED if leg not in mails.legs]
    unread = f"the legs {', '.join(missing)} of the mails were not read back whole"
    if "composed" in missing or "stored" in missing:
        return Finding(Verdict.UNKNOWN, sentence(unread), expected=recording.stated("mail"))
    fates = Fates(mails, drained=_drained(recording))
    deadline_s = recording.stated("mail").get("all_out_within")
    within_s = float(deadline_s) if isinstance(deadline_s, int | float) else None
    legs = _legs(fates, recording.clock.scale, LATE_DRILL_S if within_s is None else within_s)
    measured = _measured(recording, fates, legs)
    stuck = fates.composed & (fates.out_ns == NEVER)
    breaches = []
    if missing:
        measured["lost"] = None
        breaches.append(unknown(unread))
    elif within_s is not None and stuck.any():
        breaches.append(_never_out(recording, fates, stuck, within_s))
    if fates.waiting.any() and not fates.drained:
        breaches.append(unknown(f"{fates.waiting.sum()} mails were still on their way when the run was over"))
    held = expectations(recording, "mail", TERMS, measured, judged=["all_out_within"] if stuck.any() else [])
    return Finding(
        *conclude([*held.breaches, *breaches], _well(measured)),
        measured,
        held.expected,
        _evidence(recording, fates),
        {"legs": legs},
    )


def _measured(recording: Recording, fates: Fates, legs: Mapping[str, Mapping[str, Json]]) -> dict[str, Json]:
    composed = fates.composed
    lost = sum(int(flags.sum()) for flags in fates.lost_at.values())
    out_ns, since_ns = fates.out_ns[composed], fates.composed_ns[composed]
    out_s = float((out_ns - since_ns).max(initial=0)) / 1e9 * recording.clock.scale
    measured: dict[str, Json] = {
        "composed": int(composed.sum()),
        "stored": int((composed & (fates.copies > 0)).sum()),
        "bounced": int(fates.bounced.sum()),
        "queued": int(fates.queued.sum()),
        "lost": lost + _unwritten(recording, int(composed.sum())),
        "misdelivered": int(fates.strays[composed].sum()),
        "duplicated": int(np.maximum(fates.copies[composed] - 1, 0).sum()),
        "uncomposed": int(((fates.strays > 0) & ~composed).sum()),
        "all_out_drill_s": round(out_s, 1) if (out_ns < NEVER).all() else None,
        "late": legs["relayed"]["late"] if "relayed" in legs else None,
        "reordered": legs["stored"]["reordered"],
    }
    if (noticed := fates.mails.legs.get("noticed")) is not None:
        heard = fates.mails.counts(noticed) > 0
        measured["unnoticed"] = int((composed & (fates.copies > 0) & ~heard).sum())
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


def _legs(fates: Fates, scale: float, late_s: float) -> dict[str, dict[str, Json]]:
    """What each leg saw of the mails that were composed; times in drill seconds since then."""
    found: dict[str, dict[str, Json]] = {}
    before = fates.composed_ns
    for name, leg in fates.mails.legs.items():
        done = leg.said("ok") | leg.said("sent") | leg.said("queued")
        first = fates.mails.firsts(leg, done)
        there = fates.composed & (first < NEVER)
        took_s = (first - fates.composed_ns)[there] / 1e9 * scale
        rows = int(fates.composed[leg.mail[done]].sum())
        found[name] = {
            "mails": int(there.sum()),
            "lost": int(fates.lost_at[name].sum()) if name in fates.lost_at else 0,
            "duplicated": rows - int(there.sum()),
            "misdelivered": int((leg.to != fates.addressee[leg.mail])[fates.composed[leg.mail]].sum()),
            "late": int((took_s > late_s).sum()),
            "reordered": _reordered(fates.addressee, before, first, there & (before < NEVER)),
            "median_drill_s": round(float(np.median(took_s)), 1) if len(took_s) else None,
            "last_drill_s": round(float(took_s.max()), 1) if len(took_s) else None,
        }
        before = first
    return found


def _reordered(addressee: Ints, before: Ints, now: Ints, mails: Flags) -> int:
    """Mails that reached this leg right after one to the same person which had been behind them."""
    to, was, at = addressee[mails], before[mails], now[mails]
    order = np.lexsort((was, at, to))
    return int(np.count_nonzero((np.diff(to[order]) == 0) & (np.diff(was[order]) < 0)))


def _evidence(recording: Recording, fates: Fates) -> tuple[Json, ...]:
    """Ids only: whose addresses they are stays where it is."""
    kinds = {
        **{f"lost before {leg}": flags for leg, flags in fates.lost_at.items()},
        "misdelivered": fates.composed & (fates.strays > 0),
        "uncomposed": ~fates.composed & (fates.strays > 0),
        "duplicated": fates.composed & (fates.copies > 1),
        "queued": fates.queued,
        "bounced": fates.bounced,
    }
    rows: list[Json] = []
    for what, flags in kinds.items():
        for mail in np.flatnonzero(flags)[:MOST_EVIDENCE].tolist():
            at_ns = int(fates.composed_ns[mail])
            composed_s = recording.at_s(at_ns) if at_ns < NEVER else None
            rows.append({"what": what, "id": fates.mails.ids[mail].as_py(), "composed_s": composed_s})
    return tuple(rows)


def _well(measured: Mapping[str, Json]) -> str:
    if not measured["composed"]:
        return "no mail was composed"
    return f"of {measured['composed']:,} mails {measured['stored']:,} are in their addressees' mailboxes, none is lost"
