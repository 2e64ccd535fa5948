"""How well each way in was tried by those who ask for another company's data: also those of regions that stand by.

What a region that nobody asked refuses is not known; so attempts are counted by way in, and those that a region
answered while another one took the writes by themselves: there a database is a copy, or out of reach, and a refusal
has to come all the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from harness.checks.columns import Ints, ints, texts
from harness.checks.outages import SECOND
from harness.checks.recording import Recording
from harness.rundir import Json

#: What a reply came to; the rest were never answered.
ANSWERED: Final = ("refused", "own", "granted", "leaked")


@dataclass
class Way:
    """One way in, by an entrance of `region`. `standing_by`: answered while another region took the writes."""

    region: str
    outcomes: Counter[str] = field(default_factory=Counter)
    standing_by: int = 0

    @property
    def answered(self) -> int:
        return sum(self.outcomes[outcome] for outcome in ANSWERED)

    def row(self) -> Json:
        return {"region": self.region, **self.outcomes, "standing_by": self.standing_by}


def ways(recording: Recording, rows: Iterable[Mapping[str, Json]]) -> Mapping[str, Way]:
    """Every way in of isolation.jsonl; empty for a file that tells none."""
    writing = _Writing(recording)
    found: dict[str, Way] = {}
    for row in rows:
        if row["what"] == "ways" and isinstance(regions := row.get("regions"), dict):
            found |= {name: Way(str(region)) for name, region in regions.items()}
        told, at_ns = row.get("ways"), row.get("at_ns")
        if row["what"] != "counts" or not isinstance(told, dict) or not isinstance(at_ns, int):
            continue
        for name, counts in told.items():
            way = found.setdefault(name, Way(""))
            if not isinstance(counts, dict):
                continue
            outcomes = {each: count for each, count in counts.items() if isinstance(count, int)}
            way.outcomes.update(outcomes)
            if writing.elsewhere(way.region, at_ns):
                way.standing_by += sum(outcomes.get(outcome, 0) for outcome in ANSWERED)
    return found


def fewest(found: Mapping[str, Way]) -> int | None:
    """Attempts answered by the way in that answered fewest; None where nobody knows of any."""
    return min((way.answered for way in found.values()), default=None)


def standing_by(found: Mapping[str, Way]) -> int | None:
    """Attempts answered by regions while another one took the writes; None where there is but one region."""
    several = len({way.region for way in found.values()}) > 1
    return sum(way.standing_by for way in found.values()) if several else None


class _Writing:
    """Which region took writes, over time."""

    def __init__(self, recording: Recording) -> None:
        pairs = zip(texts(recording.replication, "node"), texts(recording.replication, "region"), strict=True)
        regions = dict(pairs)  # every database of a run with several regions is followed
        table = recording.databases.sort_by("at_ns")
        table = table.filter(table.column("wrote"))
        self._at_ns: Ints = ints(table, "at_ns")
        self._regions: Sequence[str] = [regions.get(node, "") for node in texts(table, "node")]

    def elsewhere(self, region: str, at_ns: int) -> bool:
        """Whether another region took the writes for the second that ends at this instant."""
        return all(self._at(edge_ns) not in ("", region) for edge_ns in (at_ns - SECOND, at_ns))

    def _at(self, at_ns: int) -> str:
        """The region that took the last write until then; empty before there was one."""
        place = int(np.searchsorted(self._at_ns, at_ns, side="right")) - 1
        return self._regions[place] if place >= 0 else ""
