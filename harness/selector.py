"""Which nodes a fault is aimed at: `{zone: singapore.a}`, `{role: database, is: primary}`.

The words of a selector narrow each other. What a node is at the moment (`is`) is asked when the fault fires;
all else is known from the map.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from topology.document import BadInput, Fields, Value, nearest, one_of
from topology.map import Map, Node

#: What a node can be besides what the map says of it.
STANDINGS: Final = ("primary", "standby")
#: The only role whose nodes can be either.
DATABASE: Final = "database"

#: Says what a node is now: one of STANDINGS, or "" when it is neither or does not answer.
Standing = Callable[[Node], str]


@dataclass(frozen=True)
class Selector:
    """`standing` is written `is`; at least one of the other words is given."""

    node: str | None = None
    zone: str | None = None
    region: str | None = None
    role: str | None = None
    enclosure: str | None = None
    standing: str | None = None

    def candidates(self, topology: Map) -> tuple[Node, ...]:
        """The nodes that the map allows, in its order; all of them where `is` is not asked for."""
        return tuple(
            node
            for node in topology
            if self.node in (None, node.name)
            and self.zone in (None, node.zone)
            and self.region in (None, node.region)
            and self.role in (None, node.role)
            and self.enclosure in (None, node.enclosure)
        )

    def resolve(self, topology: Map, standing: Standing) -> tuple[Node, ...]:
        """The nodes meant at this moment; none if nobody is what `is` asks for."""
        found = self.candidates(topology)
        return found if self.standing is None else tuple(n for n in found if standing(n) == self.standing)

    def data(self) -> Mapping[str, str]:
        """As a scenario writes it."""
        words = {
            "node": self.node,
            "zone": self.zone,
            "region": self.region,
            "role": self.role,
            "enclosure": self.enclosure,
            "is": self.standing,
        }
        return {word: value for word, value in words.items() if value is not None}

    def __str__(self) -> str:
        """As reports name it: `singapore.a`, `database that is primary`, `web in singapore.a`."""
        what = self.node or self.role
        where = self.enclosure or self.zone or self.region
        name = f"{what} in {where}" if what and where else what or where or ""
        return f"{name} that is {self.standing}" if self.standing else name


WORDS: Final = ("node", "zone", "region", "role", "enclosure", "is")


def read(value: Value) -> Selector:
    """Raises BadInput for anything but a mapping of the known words."""
    expected = "a selector such as {zone: singapore.a} or {role: database, is: primary}"
    fields = value.as_fields(expected)
    fields.only(*WORDS)
    standing = fields.get("is")
    words = {word: fields.need(word, _a(word)).as_text(_a(word)) for word in fields.values if word != "is"}
    if not words:
        raise fields.bad(expected)
    return Selector(**words, standing=standing.as_word(STANDINGS) if standing else None)


def check(selector: Selector, topology: Map, source: Value) -> None:
    """Raises BadInput at `source`, where it was read, if it names what is not there or matches nothing."""
    known: Mapping[str, list[str]] = {
        "node": list(topology.nodes),
        "zone": list(topology.zones),
        "region": list(topology.regions),
        "role": sorted({node.role for node in topology}),
        "enclosure": list(topology.enclosures),
    }
    for word, name in selector.data().items():
        if word in known and name not in known[word]:
            at = source.get(word) if isinstance(source, Fields) else None
            value = at or source
            expected = f"{_a(word)} that stands here: {one_of(known[word])}"
            raise BadInput(value.place, f'"{name}"', expected, nearest(name, known[word]))
    found = selector.candidates(topology)
    if not found:
        raise BadInput(source.place, f"a selector that matches nothing: {selector}", "at least one node")
    if selector.standing and all(node.role != DATABASE for node in found):
        expected = f"a selector with a node of role {DATABASE}: no other is primary or standby"
        raise BadInput(source.place, f"a selector that matches nothing: {selector}", expected)


def _a(word: str) -> str:
    return f"an {word}" if word == "enclosure" else f"a {word}"
