"""The way to the service: who was cut off from the access network, or had no signal, and what became of them.

Of an access network of blocks it is told how long the users of a block were cut off, and what helping them cost the
users of the others:

    p95 of every block before the fault ── fault ── cut off ── widened, step by step ── served again
                                                        └ p95 of the blocks that nothing was done to ┘

Users are synthetic: those whose home is a block ask to be let in by whichever block serves their area at that moment.
A block is hit by a fault when the fault touched it, or the storage that it is on. Where nothing was widened, the others
are looked at for as long as the fault lasted.

It is told, too, how many people the network took for another: of the load's and of the synthetic users.

Of base stations it is told how many people wanted to send something and had no signal, and how many of them were served
in the end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from harness.checks.columns import Flags, Ints, ints, is_one_of, rows, says, words
from harness.checks.expectations import asked, expectations
from harness.checks.outages import SECOND, STALL_NS, Episode, Series, episodes
from harness.checks.recording import Recording
from harness.checks.terms import Term, conclude, quantity, units
from harness.rundir import Json
from harness.rundir.history import MISTAKEN
from harness.rundir.verdict import Finding

TERMS: Final = {
    "cut_off": Term(
        "duration",
        "cut_off_s",
        "at most",
        "how long users were cut off from the access network",
        deadline=True,
    ),
    "reached": Term(
        "ratio", "reached_ratio", "at least", "people who had no signal and were served in the end"
    ),
    "mistaken": Term("count", "mistaken", "at most", "users taken for another"),
    "slower": Term(
        "ratio",
        "slower_ratio",
        "at most",
        "by how much users of the other blocks waited longer than before, at the 95th percentile",
        deadline=True,
    ),
}
EXPECTS: Final = units(TERMS)
KIND: Final = "attach"
WIDENED: Final = "block.widened"
#: The users of so long before the first fault are what the others are compared with.
BEFORE_NS: Final = 10 * SECOND
#: What a widening costs is looked at for so long after it, too: handsets come again within seconds.
AFTER_NS: Final = 10 * SECOND
#: A handset that is not let in waits at least as long as one that is let in only now.
REFUSED_NS: Final = 2 * SECOND
#: Of fewer users no 95th percentile can be told.
FEWEST: Final = 20
NO_SIGNAL: Final = "no signal"
NO_PROBE: Final = ("stopped", "the observer was late", "strange")


@dataclass(frozen=True)
class Block:
    """What the users of one block saw. p95s are None where too few asked, `longest_s` where it never ended."""

    name: str
    hit: bool
    before_s: float | None
    meanwhile_s: float | None
    longest_s: float | None

    @property
    def slower(self) -> float | None:
        if self.before_s is None or self.meanwhile_s is None:
            return None
        return round(self.meanwhile_s / self.before_s - 1, 3)

    def row(self) -> Json:
        return {
            "block": self.name,
            "hit": self.hit,
            "p95_before_s": self.before_s,
            "p95_meanwhile_s": self.meanwhile_s,
            "cut_off_s": self.longest_s,
        }


def check(recording: Recording) -> Finding:
    blocks = _blocks(recording)
    measured = {**_measured(recording, blocks), **_identity(recording, blocks), **_signal(recording)}
    held = expectations(recording, "access", _terms(blocks), measured)
    rows_of = tuple(block.row() for block in blocks)
    return Finding(
        *conclude(held.breaches, _well(measured)),
        measured,
        held.expected,
        rows_of,
        asked=asked(recording, "access", looked=bool(measured), breaches=held.breaches),
    )


def _terms(blocks: Sequence[Block]) -> Mapping[str, Term]:
    """Where there is an access network, nobody may ever be taken for another."""
    return {**TERMS, "mistaken": replace(TERMS["mistaken"], default=0)} if blocks else TERMS


def _measured(recording: Recording, blocks: Sequence[Block]) -> dict[str, Json]:
    if not blocks:
        return {}
    gone = [block.longest_s for block in blocks]
    known = [seconds for seconds in gone if seconds is not None]
    cut_off_s = round(max(known), 3) if len(known) == len(gone) else None
    others = [block.slower for block in blocks if not block.hit]
    slower = [ratio for ratio in others if ratio is not None]
    return {
        "blocks": len(blocks),
        "hit": [block.name for block in blocks if block.hit],
        "cut_off_s": cut_off_s,
        "cut_off_drill_s": None if cut_off_s is None else round(cut_off_s * recording.clock.scale, 1),
        "widened": sum(event.kind == WIDENED for event in recording.events),
        "slower_ratio": max(0.0, *slower) if slower and len(slower) == len(others) else None,
    }


def _identity(recording: Recording, blocks: Sequence[Block]) -> dict[str, Json]:
    """Who was let in as somebody else; how long after the first fault for the last time, None where it never was so."""
    if not blocks:
        return {}
    tables = [
        rows(table, says(table, "detail", MISTAKEN)) for table in (recording.operations, recording.probes)
    ]
    first_ns = min((fault.injecting_ns for fault in recording.faults), default=None)
    last_ns = max(
        (int(ints(table, "completed_ns").max()) for table in tables if table.num_rows), default=None
    )
    since = None if first_ns is None or last_ns is None else round(max(0, last_ns - first_ns) / SECOND, 3)
    return {
        "mistaken": sum(len(np.unique(ints(table, "key"))) for table in tables),
        "mistaken_until_s": since,
    }


def _signal(recording: Recording) -> dict[str, Json]:
    """Of the people whom the load plays; nothing where all had a signal all the time."""
    table = recording.operations
    without = np.unique(ints(rows(table, says(table, "detail", NO_SIGNAL)), "key"))
    if not len(without):
        return {}
    served = rows(table, is_one_of(table, "kind", "answer") & is_one_of(table, "outcome", "ok"))
    reached = int(np.isin(without, ints(served, "key")).sum())
    return {
        "without_signal": len(without),
        "reached": reached,
        "reached_ratio": round(reached / len(without), 4),
    }


def _blocks(recording: Recording) -> list[Block]:
    probes = rows(recording.probes, is_one_of(recording.probes, "kind", KIND))
    probes = rows(probes, ~says(probes, "detail", *NO_PROBE))
    first_ns, from_ns, until_ns = _times(recording)
    hit = _hit(recording)
    found = []
    for name in words(probes, "vantage"):
        own = rows(probes, is_one_of(probes, "vantage", name))
        series = Series.of(
            ints(own, "intended_ns"), ints(own, "completed_ns"), is_one_of(own, "outcome", "ok")
        )
        intended = series.intended_ns
        found.append(
            Block(
                name,
                name in hit,
                _p95_s(series, (intended >= first_ns - BEFORE_NS) & (intended < first_ns)),
                _p95_s(series, (intended >= from_ns) & (intended < until_ns)),
                _longest_s(list(episodes(series, STALL_NS))),
            )
        )
    return found


def _times(recording: Recording) -> tuple[int, int, int]:
    """When the first fault began; from when to when the blocks were widened, or were without their neighbour."""
    ended = recording.first("timeline.ended")
    last_ns = (
        ended.at_ns if ended is not None else max((event.at_ns for event in recording.events), default=0)
    )
    first_ns = min((fault.injecting_ns for fault in recording.faults), default=last_ns)
    widened = [event.at_ns for event in recording.events if event.kind == WIDENED]
    if widened:
        return first_ns, min(widened), min(max(widened) + AFTER_NS, last_ns)
    undone = [fault.undoing_ns for fault in recording.faults if fault.undoing_ns is not None]
    return first_ns, first_ns, min(max(undone, default=last_ns), last_ns)


def _hit(recording: Recording) -> set[str]:
    """The blocks that a fault touched, and those whose storage it did."""
    touched = {node for fault in recording.faults for node in fault.nodes}
    topology = recording.topology
    if topology is None:
        return touched
    paths: Mapping[str, set[str]] = {
        node.name: {path.partition(":")[0] for path in node.environment.get("PATHS", "").split(",")}
        for node in topology
    }
    return {name for name, own in paths.items() if name in touched or own & touched}


def _p95_s(series: Series, of: Flags) -> float | None:
    took: Ints = (series.completed_ns - series.intended_ns)[of]
    if len(took) < FEWEST:
        return None
    waited = np.where(series.ok[of], took, np.maximum(took, REFUSED_NS))
    return round(float(np.percentile(waited, 95)) / SECOND, 4)


def _longest_s(found: Sequence[Episode]) -> float | None:
    lasting = [episode.seconds for episode in found if episode.failed]
    known = [seconds for seconds in lasting if seconds is not None]
    return round(max(known, default=0.0), 3) if len(known) == len(lasting) else None


def _well(measured: Mapping[str, Json]) -> str:
    if not measured:
        return "no access network was looked at, and nobody was without a signal"
    cut_off_s, slower = measured.get("cut_off_s"), measured.get("slower_ratio")
    told = [f"users were cut off for {quantity(cut_off_s, 'duration')} at most"] if cut_off_s else []
    if isinstance(slower, float):
        told.append(
            f"users of the other blocks waited {quantity(slower, 'ratio')} longer than before at most"
        )
    if "without_signal" in measured:
        told.append(
            f"{measured['without_signal']} people had no signal, {measured['reached']} of them answered in the end"
        )
    return ", ".join(told) or "handsets were let in all the time"
