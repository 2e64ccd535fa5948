"""The target of `fail`: which storage enclosures fail, and how."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from harness import selector
from harness.failure import Failure
from harness.rundir import Json
from harness.selector import Selector
from topology.document import BadInput, Fields, Value
from topology.map import Map, Node

HOWS: Final = tuple(failure.value for failure in Failure)
_EXPECTED: Final = (
    "an enclosure such as {enclosure: singapore-a-storage}, or that of {role: database, is: primary}"
)


@dataclass(frozen=True)
class Failing:
    """The enclosures that the selected nodes sit on fail, with all that is on them."""

    selector: Selector
    how: Failure = Failure.BROKEN

    def enclosures(self, topology: Map) -> tuple[str, ...]:
        """Those that the map allows; all that could be meant where a node's standing is asked for."""
        return under(self.selector.candidates(topology))

    def data(self) -> Mapping[str, Json]:
        return {**self.selector.data(), "how": self.how.value}

    def __str__(self) -> str:
        named = self.selector.data().keys() <= {"enclosure"}
        name = str(self.selector) if named else f"the enclosure of {self.selector}"
        return name if self.how is Failure.BROKEN else f"{name} ({self.how.value})"


def under(nodes: Iterable[Node]) -> tuple[str, ...]:
    """The enclosures that nodes sit on, each once."""
    return tuple(dict.fromkeys(node.enclosure for node in nodes if node.enclosure is not None))


def read(value: Value, *, undoing: bool = False) -> Failing:
    """As it was written; what takes it back does not say how it failed. Raises BadInput."""
    fields = value.as_fields(_EXPECTED)
    fields.only(*selector.WORDS, *(() if undoing else ("how",)))
    how = fields.get("how")
    words = {key: each for key, each in fields if key != "how"}
    chosen = Fields(words, {key: fields.keys[key] for key in words}, fields.place, fields.tag)
    if not words:
        raise fields.bad(_EXPECTED)
    return Failing(selector.read(chosen), Failure(how.as_word(HOWS)) if how else Failure.BROKEN)


def check(failing: Failing, topology: Map, source: Value) -> None:
    """Raises BadInput at `source`, where it was read, if it names what is not there or no enclosure at all."""
    selector.check(failing.selector, topology, source)
    if not failing.enclosures(topology):
        found = f"{failing.selector}: nodes that sit on no storage enclosure"
        raise BadInput(
            source.place, found, f"an enclosure: {', '.join(topology.enclosures) or 'there is none'}"
        )
