"""The target of `stale`: which resolvers keep answers longer than they may, and for how long."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness import quantities
from harness.rundir import Json
from topology.document import Value
from topology.map import Map

_EXPECTED = "{share: 0.3, keeps: 120s}, perhaps of one carrier: {carrier: …, share: …, keeps: …}"


@dataclass(frozen=True)
class Keeping:
    """`share` of the resolvers of a carrier, or of every one, keep answers for `keeps_s` seconds at least."""

    share: float = 0.0
    keeps_s: float = 0.0
    carrier: str | None = None

    def carriers(self, topology: Map) -> tuple[str, ...]:
        """Of those that have a resolver."""
        return tuple(
            name
            for name, carrier in topology.carriers.items()
            if carrier.resolver is not None and self.carrier in (None, name)
        )

    def data(self) -> Mapping[str, Json]:
        whose: dict[str, Json] = {"carrier": self.carrier} if self.carrier is not None else {}
        return {**whose, "share": self.share, "keeps_s": self.keeps_s}

    def __str__(self) -> str:
        whose = f"resolvers of {self.carrier}" if self.carrier is not None else "resolvers"
        return f"{self.share:.0%} of the {whose} (for {self.keeps_s:g} s)" if self.keeps_s else f"the {whose}"


def read(value: Value, *, undoing: bool = False) -> Keeping:
    """As it was written; what takes it back names the carrier at most. Raises BadInput."""
    fields = value.as_fields("{} or {carrier: …}" if undoing else _EXPECTED)
    fields.only("carrier", *(() if undoing else ("share", "keeps")))
    carrier = fields.get("carrier")
    whose = carrier.as_text("a carrier") if carrier else None
    if undoing:
        return Keeping(carrier=whose)
    share = fields.need("share", "a share of the resolvers")
    keeps = fields.need("keeps", "how long they keep answers")
    made = Keeping(quantities.share(share), quantities.duration(keeps).s, whose)
    if not made.share:
        raise share.bad("a share above 0")
    if not made.keeps_s:
        raise keeps.bad("longer than 0s")
    return made


def from_data(value: Value) -> Keeping:
    """From what `data` gave. Raises BadInput."""
    fields = value.as_fields(_EXPECTED)
    carrier = fields.get("carrier")
    return Keeping(
        fields.need("share", "a share").as_number(),
        fields.need("keeps_s", "seconds").as_number(),
        carrier.as_text() if carrier else None,
    )
