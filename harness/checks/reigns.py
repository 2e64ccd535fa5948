"""Who took writes when, from what was seen of each database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from harness.checks.columns import ints, texts
from harness.checks.recording import Recording
from harness.rundir import Json


@dataclass(frozen=True)
class Look:
    """One observation of one node."""

    at_ns: int
    node: str
    role: str
    timeline: int
    wrote: bool


@dataclass(frozen=True)
class Reign:
    """One node took writes, from the first acknowledgement to the last that nothing interrupted.

    `timeline` is 0 where nobody knows.
    """

    node: str
    from_ns: int
    until_ns: int
    timeline: int

    def overlaps(self, other: Reign) -> bool:
        """Whether one of them acknowledged a write while the other was in the midst of doing so."""
        return max(self.from_ns, other.from_ns) <= min(self.until_ns, other.until_ns)

    def row(self, recording: Recording) -> Json:
        return {
            "node": self.node,
            "from_s": recording.at_s(self.from_ns),
            "until_s": recording.at_s(self.until_ns),
            "timeline": self.timeline,
        }


def looks_of(recording: Recording) -> list[Look]:
    table = recording.databases.sort_by("at_ns")
    columns = (
        ints(table, "at_ns").tolist(),
        texts(table, "node"),
        texts(table, "role"),
        ints(table, "timeline").tolist(),
        [bool(value) for value in table.column("wrote").to_pylist()],
    )
    return [Look(*row) for row in zip(*columns, strict=True)]


def reigns_of(looks: Sequence[Look]) -> Iterator[Reign]:
    """Each node's unbroken runs of acknowledged writes; a new timeline is a new reign.

    Nothing is added at either end: between two acknowledgements the node may at any instant have taken a write.
    """
    for node in dict.fromkeys(look.node for look in looks):
        current: list[Look] = []
        before = 0
        for look in (look for look in looks if look.node == node):
            stepped = bool(current) and look.timeline > current[-1].timeline > 0
            if current and (not look.wrote or stepped):
                yield _reign(current)
                current = []
            if look.wrote and look.role == "primary":
                current.append(look)
            elif (
                look.wrote
            ):  # taken before it ceased to be primary: at the latest look that still called it so
                current.append(replace(look, at_ns=before or look.at_ns))
            before = look.at_ns
        if current:
            yield _reign(current)


def _reign(looks: Sequence[Look]) -> Reign:
    return Reign(looks[0].node, looks[0].at_ns, looks[-1].at_ns, max(look.timeline for look in looks))
