"""What things are called in a report: carriers and faults, in its language."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from harness.rundir import Json
from reports import aims
from reports.faults import Fault
from reports.places import Places


@dataclass(frozen=True)
class Names(Places):
    """Names of places, and of what was done to them."""

    def ordered(self, carriers: Iterable[str]) -> list[str]:
        """In the topology's order; strangers after them, by name."""
        order = list(self.record.topology.carriers) if self.record.topology else []
        return sorted(carriers, key=lambda name: (order.index(name) if name in order else len(order), name))

    def fault(self, fault: Fault) -> str:
        """`power lost: singapore.a`; of a storage failure, the enclosures: `storage failed: storage in Tokyo`.

        In another language than the record's, by the titles of the topology.
        """
        verb = self.words.known(f"verb.{fault.verb}", fault.verb)
        target = self._enclosures(fault) if fault.verb == "fail" else ""
        if not target and self.words.lang != "en":
            target = aims.told(aims.planned(self.record, fault.id), self, self.words)
        target = target or fault.target
        return self.words("fault.label", verb=verb, target=target) if target else verb

    def _enclosures(self, fault: Fault) -> str:
        """What the nodes that a fault touched sit on, and how it failed where it is not simply broken."""
        topology = self.record.topology
        if topology is None:
            return ""
        touched = [topology.nodes[name] for name in fault.nodes if name in topology.nodes]
        names = dict.fromkeys(node.enclosure for node in touched if node.enclosure is not None)
        titles = [topology.enclosures[name].title for name in names]
        told = ", ".join(title.ja if self.words.lang == "ja" else title.en for title in titles)
        how = fault.target.rpartition(" (")[2].rstrip(")") if fault.target.endswith(")") else ""
        return f"{told} ({self.words.known(f'how.{how}', how)})" if told and how else told

    def title(self, titles: Json, fallback: str) -> str:
        """One of a pair {en, ja} as scenarios write it."""
        if isinstance(titles, dict):
            return str(titles.get(self.words.lang) or titles.get("en") or fallback)
        return titles if isinstance(titles, str) else fallback
