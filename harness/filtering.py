"""The target of `misfilter`: at which carrier the filter takes whose mail for spam."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from harness.rundir import Json
from topology.document import Value, nearest, one_of
from topology.map import Map

_EXPECTED: Final = "{carrier: softbank, senders: .co.jp}"


@dataclass(frozen=True)
class Filtering:
    """`senders` is what the domains of the senders have in them whose mail is taken for spam."""

    carrier: str
    senders: str = ""

    def data(self) -> Mapping[str, Json]:
        return {"carrier": self.carrier, "senders": self.senders}

    def __str__(self) -> str:
        return f"{self.senders} at {self.carrier}" if self.senders else f"the filter of {self.carrier}"


def read(value: Value, *, undoing: bool = False) -> Filtering:
    """As it was written; what takes it back names the carrier alone. Raises BadInput."""
    fields = value.as_fields("{carrier: …}" if undoing else _EXPECTED)
    fields.only("carrier", *(() if undoing else ("senders",)))
    carrier = fields.need("carrier", "the carrier whose filter it is").as_text("a carrier")
    if undoing:
        return Filtering(carrier)
    senders = fields.need("senders", "what the domains of their senders have in them")
    return Filtering(carrier, senders.as_text("a part of a domain").lower())


def from_data(value: Value) -> Filtering:
    """From what `data` gave. Raises BadInput."""
    fields = value.as_fields(_EXPECTED)
    return Filtering(
        fields.need("carrier", "a carrier").as_text(), str(fields.need("senders", "senders").content)
    )


def check(target: Filtering, topology: Map, source: Value) -> None:
    """Raises BadInput for a carrier that the topology does not have."""
    if target.carrier not in topology.carriers:
        place = source.as_fields().need("carrier", "a carrier")
        raise place.bad(f"a carrier: {one_of(topology.carriers)}", nearest(target.carrier, topology.carriers))
