"""Primaries that were lost, replaced and came back: what they took before their successor had handed over to them.

    old primary    writes … | lost      | back: every write is refused | writes again
    successor                   | writes …                         | handed over

Whoever was lost and comes back must not take a single write until it has rejoined, which it has when the successor has
given its place up to it. It is asked ten times a second all the while. It had `diverged` if it had acknowledged a
write that its successor never showed: then it cannot simply go on where it stopped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.checks.columns import ints, texts
from harness.checks.recording import Fault, Recording
from harness.checks.reigns import Look, Reign
from harness.rundir import Json


@dataclass(frozen=True)
class Return:
    """One loss of a primary that was replaced. `asked`: answers of the nodes that were lost, between the two instants;
    `taken`: writes that they took then."""

    fault: str
    primary: str
    successor: str
    back_ns: int
    until_ns: int
    asked: int
    taken: int
    diverged: bool

    def row(self, recording: Recording) -> Json:
        return {
            "what": "writes before rejoining" if self.taken else "came back",
            "fault": self.fault,
            "node": self.primary,
            "successor": self.successor,
            "from_s": recording.at_s(self.back_ns),
            "until_s": recording.at_s(self.until_ns),
            "asked": self.asked,
            "taken": self.taken,
            "diverged": self.diverged,
        }


def returns(recording: Recording, looks: Sequence[Look], reigns: Sequence[Reign]) -> Iterator[Return]:
    """One for each fault that took the primary's power and was taken back after another had taken its place.

    `looks` and `reigns` are in the order of time.
    """
    for fault in recording.faults:
        before = [reign for reign in reigns if reign.from_ns <= fault.at_ns]
        if (
            fault.verb != "lose"
            or fault.undone_ns is None
            or not before
            or before[-1].node not in fault.nodes
        ):
            continue
        successors = [
            reign for reign in reigns if reign.from_ns > fault.at_ns and reign.node not in fault.nodes
        ]
        if not successors or successors[0].from_ns > fault.undone_ns:
            continue
        until_ns = _handed_over(successors, [each for each in reigns if each.node in fault.nodes])
        own = [
            look
            for look in looks
            if look.node in fault.nodes and fault.undone_ns <= look.at_ns <= until_ns and look.role
        ]
        yield Return(
            fault.id,
            before[-1].node,
            successors[0].node,
            fault.undone_ns,
            until_ns,
            len(own),
            sum(look.wrote for look in own),
            _diverged(recording, fault, successors[0]),
        )


def _handed_over(successors: Sequence[Reign], own: Sequence[Reign]) -> int:
    """When the successors last wrote before one of the nodes that were lost wrote again without them."""
    until_ns = successors[0].until_ns
    for successor in successors[1:]:
        if any(until_ns < reign.from_ns and reign.until_ns < successor.from_ns for reign in own):
            break
        until_ns = max(until_ns, successor.until_ns)
    return until_ns


def _diverged(recording: Recording, fault: Fault, successor: Reign) -> bool:
    """By the last look at the successor before anybody acknowledged anything new: it had not got all that was old."""
    table = recording.replication
    rows = zip(
        texts(table, "node"),
        ints(table, "at_ns").tolist(),
        ints(table, "acknowledged_ns").tolist(),
        ints(table, "shown_ns").tolist(),
        strict=True,
    )
    last = [
        (acknowledged_ns, shown_ns)
        for node, at_ns, acknowledged_ns, shown_ns in rows
        if node == successor.node and fault.at_ns <= at_ns and acknowledged_ns <= fault.at_ns and shown_ns > 0
    ]
    return bool(last) and last[-1][1] < last[-1][0]
