"""Recovery: how long each capability was gone at each vantage, and what its coming back was made of.

RTO = restored - fault, from the probes alone; see `outages` for when a service counts as restored. Of every capability
the worst vantage and the worst fault decide. The parts (see `parts`) are told of each fault and capability, at its
worst vantage; those of the longest recovery of writing are among what was measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np

from harness.checks import host, stale_names
from harness.checks.crowd import attempts, served_again
from harness.checks.expectations import expectations
from harness.checks.outages import SECOND, WINDOW_NS, Effect, Mark
from harness.checks.parts import Part, parts
from harness.checks.recording import Recording
from harness.checks.seen import CAPABILITIES, Probed, Seen, marks, rounded, series, told
from harness.checks.terms import Breach, Term, conclude, fail, quantity, units, unknown
from harness.rundir import Json
from harness.rundir.verdict import Finding

TERMS: Final = {
    **{
        name: Term("duration", f"{name}_rto_s", "at most", f"RTO of {name}", deadline=True)
        for name in CAPABILITIES
    },
    "users": Term(
        "duration", "users_s", "at most", "time until 99% of users were answered again", deadline=True
    ),
    "outage": Term("duration", "outage_s", "at most", "the longest outage that users saw", deadline=True),
    "after_undo": Term(
        "duration", "after_undo_s", "at most", "the longest outage after an undoing", deadline=True
    ),
    **stale_names.TERMS,
}
EXPECTS: Final = units(TERMS)

#: Probes that end this much before the timeline does have died; what they did not see is not known.
SILENT_NS: Final = 5 * SECOND
MOST_EVIDENCE: Final = 100


def check(recording: Recording) -> Finding:
    probed, marked = series(recording), marks(recording)
    seen = told(probed, marked)
    made_of = list(_made_of(recording, seen))
    writing = _worst_rto([(one, own) for one, own in made_of if one.capability == "write"])
    measured = _measured(seen) | (_seconds(writing[1]) if writing else {})
    measured |= _users(recording, marked)
    stated = recording.stated("recovery")
    lasting = [one for one in seen if one.lasting]
    gone = {one.capability for one in lasting} | ({"outage", "after_undo"} if lasting else set())
    too_short = stale_names.too_short(measured, stated.get("stale_longer"))
    if too_short:
        gone.add("stale_longer")
    pressed = _pressed(recording, seen, stated)
    held = expectations(recording, "recovery", TERMS, measured, judged=gone, pressed=pressed)
    breaches = [*held.breaches, *_never_restored(recording, lasting, stated), *too_short]
    breaches += _silent(recording, probed)
    if not probed:
        breaches.append(unknown("no probe was recorded"))
    troubled = [one for one in seen if one.effect.failed or one.effect.stalled or one.lasting]
    return Finding(
        *conclude(breaches, _well(measured)),
        measured,
        held.expected,
        tuple(one.row(recording) for one in troubled[:MOST_EVIDENCE]),
        {
            "effects": [one.row(recording) for one in seen],
            "parts": [_parts_row(one, own) for one, own in made_of],
        },
    )


def _measured(seen: Sequence[Seen]) -> dict[str, Json]:
    measured: dict[str, Json] = {}
    for capability in CAPABILITIES:
        own = [one for one in seen if one.capability == capability and one.effect.mark.kind != "undo"]
        if own:
            measured[f"{capability}_rto_s"] = _worst([one.rto_s for one in own])
            measured[f"{capability}_outage_s"] = _worst([one.effect.outage_s for one in own])
    undone = [one.effect.outage_s for one in seen if one.effect.mark.kind == "undo" and not one.effect.inside]
    if seen:
        measured["outage_s"] = _worst([one.effect.outage_s for one in seen])
        measured["after_undo_s"] = _worst(undone)
        measured["failed_probes"] = sum(one.effect.failed for one in seen)
        measured["stalled_probes"] = sum(one.effect.stalled for one in seen)
    return measured


def _users(recording: Recording, marked: Sequence[Mark]) -> dict[str, Json]:
    """How long it took until nearly all of the load's people were served again, at the worst fault."""
    ended = recording.first("timeline.ended")
    begun_ns, ok = attempts(recording.operations)
    if not len(begun_ns) or all(mark.kind != "fault" for mark in marked):
        return {}
    ends_ns = max(int(begun_ns[-1]), ended.at_ns) if ended is not None else int(begun_ns[-1])
    seconds = served_again(begun_ns, ok, marked, ends_ns)
    worst_s = _worst([s for mark, s in zip(marked, seconds, strict=True) if mark.kind == "fault"])
    return {"users_s": worst_s, **stale_names.measured(recording, marked, ends_ns)}


def _worst(values: Sequence[float | None]) -> float | None:
    """The greatest; None, which is "never", is worse than any."""
    known = [value for value in values if value is not None]
    return None if len(known) < len(values) else rounded(max(known, default=0.0))


MadeOf = tuple[Seen, Sequence[Part]]


def _made_of(recording: Recording, seen: Sequence[Seen]) -> Iterator[MadeOf]:
    """Of each fault and capability that there was anything to recover from: the worst vantage, and its parts."""
    hurt: dict[tuple[str, str], list[Seen]] = {}
    for one in seen:
        if one.effect.mark.kind == "fault" and one.rto_s != 0:
            hurt.setdefault((one.effect.mark.name, one.capability), []).append(one)
    for own in hurt.values():
        worst = max(own, key=_gone_s)
        first_ok_ns = min((one.first_ok_ns for one in own if one.first_ok_ns), default=None)
        yield worst, parts(recording, worst.effect.mark.at_ns, first_ok_ns, worst.effect.restored_ns)


def _worst_rto(made_of: Sequence[MadeOf]) -> MadeOf | None:
    return max(made_of, key=lambda each: _gone_s(each[0]), default=None)


def _gone_s(one: Seen) -> float:
    return np.inf if one.rto_s is None else one.rto_s


def _seconds(made_of: Sequence[Part]) -> dict[str, Json]:
    return {f"{part.name}_s": part.seconds for part in made_of}


def _parts_row(one: Seen, made_of: Sequence[Part]) -> Json:
    where = {"mark": one.effect.mark.name, "capability": one.capability, "vantage": one.vantage}
    return {**where, "rto_s": rounded(one.rto_s), **_seconds(made_of)}


def _pressed(recording: Recording, seen: Sequence[Seen], stated: Mapping[str, Json]) -> set[str]:
    """The deadlines, but for that of `users`, that were missed only while the host was starved."""
    found = set()
    for name, want in stated.items():
        if not isinstance(want, int | float):
            continue
        gone_s = [(one, _held_to(name, one)) for one in seen]
        missed = [one for one, seconds in gone_s if seconds is not None and seconds > want]
        if missed and all(_starved_during(recording, one.effect) for one in missed):
            found.add(name)
    return found


def _held_to(name: str, one: Seen) -> float | None:
    """What an expectation is held against at one mark and vantage; None where it says nothing of that."""
    undone = one.effect.mark.kind == "undo"
    if name == "outage" or (name == "after_undo" and undone and not one.effect.inside):
        return one.effect.outage_s
    return one.rto_s if name == one.capability and not undone else None


def _starved_during(recording: Recording, effect: Effect) -> bool:
    """From the first user who was not served until all were again."""
    if effect.first_bad_ns is None or effect.restored_ns is None:
        return False
    return host.pressed(recording, effect.first_bad_ns, effect.restored_ns)


def _never_restored(
    recording: Recording, lasting: Sequence[Seen], stated: Mapping[str, Json]
) -> list[Breach]:
    """A run that was cut short proves only that the deadline had passed by then."""
    breaches = []
    for capability in sorted({one.capability for one in lasting}):
        own = [one for one in lasting if one.capability == capability]
        where = ", ".join(sorted({one.vantage for one in own}))
        says = f"{capability} was never seen restored at {where}"
        ended_ns = max(int(event.at_ns) for event in recording.events) if recording.events else 0
        gone_s = (ended_ns - min(one.effect.mark.at_ns for one in own)) / SECOND
        want = stated.get(capability)
        if recording.whole and max(one.watched_s for one in own) < WINDOW_NS / SECOND:
            breaches.append(unknown(f"{says}: it failed in the last two seconds that were watched"))
        elif recording.whole:
            breaches.append(fail(says))
        elif isinstance(want, int | float) and gone_s > want:
            breaches.append(fail(f"{says} until the run was cut short, {quantity(gone_s, 'duration')} later"))
        else:
            breaches.append(unknown(f"{says} before the run was cut short"))
    return breaches


def _silent(recording: Recording, probed: Probed) -> list[Breach]:
    """Probes that stopped before the timeline did."""
    ended = recording.first("timeline.ended")
    if ended is None:
        return []
    return [
        unknown(
            f"the probes of {capability} at {vantage} stopped at {recording.at_s(int(one.intended_ns[-1])):g} s"
        )
        for (capability, vantage), (one, _) in probed.items()
        if int(one.intended_ns[-1]) < ended.at_ns - SILENT_NS
    ]


def _well(measured: Mapping[str, Json]) -> str:
    gone = {name: measured.get(f"{name}_rto_s") for name in CAPABILITIES}
    told = [
        f"{name} was back after {quantity(seconds, 'duration')}"
        for name, seconds in gone.items()
        if isinstance(seconds, int | float) and seconds > 0
    ]
    stale_s, others_s = measured.get("stale_users_s"), measured.get("other_users_s")
    if isinstance(stale_s, int | float) and isinstance(others_s, int | float):
        told.append(
            f"users behind caches that kept the old name were answered again after {quantity(stale_s, 'duration')},"
            f" the others after {quantity(others_s, 'duration')}"
        )
    elif isinstance(users_s := measured.get("users_s"), int | float) and users_s > 0:
        told.append(f"99% of users were answered again after {quantity(users_s, 'duration')}")
    return ", ".join(told) or "users noticed nothing"
