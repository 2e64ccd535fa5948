"""What places are called: regions, zones, carriers and links by the titles of the topology, in one language."""

from __future__ import annotations

from dataclasses import dataclass

from reports.reading import Record
from reports.words import Words
from topology.map import Title


@dataclass(frozen=True)
class Places:
    """Titles as the topology gives them; the plain name where it gives none, or where it is missing."""

    record: Record
    words: Words

    def carrier(self, name: str) -> str:
        topology = self.record.topology
        if topology is None or name not in topology.carriers:
            return self.words.known(f"vantage.{name}", name)
        return self._said(topology.carriers[name].title)

    def region(self, name: str) -> str:
        topology = self.record.topology
        if topology is None or name not in topology.regions:
            return name
        return self._said(topology.regions[name].title)

    def place(self, name: str) -> str:
        """A region, a zone with its region before it, or the name of whatever else it is."""
        topology = self.record.topology
        if topology is None or name not in topology.zones:
            return self.region(name)
        zone = topology.zones[name]
        region, title = self.region(zone.region), self._said(zone.title)
        return title if title.startswith(region) else self.words("aim.within", place=region, what=title)

    def link(self, name: str) -> str:
        """A carrier's link by its carrier, a wide-area link by the regions at its ends."""
        topology = self.record.topology
        for link in topology.links if topology is not None else ():
            if link.node == name:
                here, there = (self.region(region) for region in link.between)
                return self.words("aim.ends", here=here, there=there)
        return self.carrier(name)

    def _said(self, title: Title) -> str:
        return title.ja if self.words.lang == "ja" else title.en
