"""The legs of a mail's way as arrays: composed -> submitted -> relayed -> stored -> noticed -> opened.

Between relayed and stored a hosting provider of mail keeps books of its own: what it accepted and what became of that,
and what was redelivered from its archive. Those are on the way of its users' mails only.

Ids and addresses become numbers, the same on every leg, so that millions of mails are compared at once. What the
probes mailed is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from harness.checks.columns import Flags, Ints, ints, numbered, rows, says, starts, words
from harness.checks.recording import Recording

LEGS: Final = ("composed", "submitted", "relayed", "stored", "noticed", "opened")
HOSTED: Final = ("accepted", "redelivered")
WAY: Final = ("composed", "submitted", "relayed", *HOSTED, "stored", "noticed", "opened")
PROBES: Final = "probe-"
NEVER: Final = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Leg:
    """Rows of one leg, in the order in which they were read: what happened to which mail (a number), for whom, where.

    `to` and `node` are numbers, too, see `Mails`.
    """

    mail: Ints
    to: Ints
    at_ns: Ints
    result: Mapping[str, Flags]  # result -> where it is that
    node: Ints

    def said(self, result: str) -> Flags:
        """Where this was the result."""
        return self.result.get(result, np.zeros(len(self.mail), np.bool_))


_NONE: Final = np.empty(0, np.int64)
_NOTHING: Final = Leg(_NONE, _NONE, _NONE, {}, _NONE)


@dataclass(frozen=True)
class Mails:
    """All legs. `ids`, `addresses` and `nodes` give back the texts; a leg that was not read back is not in `legs`.

    `hosted` are the legs of hosted mail.
    """

    legs: Mapping[str, Leg]
    ids: pa.StringArray
    addresses: pa.StringArray
    nodes: pa.StringArray
    hosted: Mapping[str, Leg] = field(default_factory=dict)

    def leg(self, name: str) -> Leg:
        """No rows for one that was not read back."""
        return self.way.get(name, _NOTHING)

    @cached_property
    def way(self) -> Mapping[str, Leg]:
        """All legs there are, in the order in which mails go."""
        both = {**self.legs, **self.hosted}
        return {name: both[name] for name in WAY if name in both}

    @cached_property
    def domain(self) -> tuple[Sequence[str], Ints]:
        """The domains of all addresses, and for each address which of them is its own."""
        texts = pc.replace_substring_regex(self.addresses, "^.*@", "").dictionary_encode()
        names = [str(name) for name in texts.dictionary.to_pylist()]
        return names, texts.indices.to_numpy(zero_copy_only=False).astype(np.int64)

    def firsts(self, leg: Leg, rows: Flags | None = None) -> Ints:
        """For each mail, when it first appears in (these rows of) the leg; NEVER for the others."""
        chosen = slice(None) if rows is None else rows
        found = np.full(len(self.ids), NEVER, np.int64)
        np.minimum.at(found, leg.mail[chosen], leg.at_ns[chosen])
        return found

    def counts(self, leg: Leg, rows: Flags | None = None) -> Ints:
        """For each mail, how many (of these) rows of the leg are its own."""
        chosen = slice(None) if rows is None else rows
        return np.bincount(leg.mail[chosen], minlength=len(self.ids)).astype(np.int64)


def read(recording: Recording) -> Mails:
    """Every leg that was read back whole."""
    tables = {leg: table for leg in WAY if (table := recording.mail(leg)) is not None}
    own = {leg: rows(table, ~starts(table, "id", PROBES)) for leg, table in tables.items()}
    ids, mail = numbered({leg: table.column("id") for leg, table in own.items()})
    addresses, to = numbered({leg: table.column("to") for leg, table in own.items()})
    nodes, node = numbered({leg: table.column("node") for leg, table in own.items()})
    legs = {
        leg: Leg(mail[leg], to[leg], ints(table, "at_ns"), _results(table), node[leg])
        for leg, table in own.items()
    }
    hosted = {name: leg for name, leg in legs.items() if name in HOSTED}
    return Mails({name: leg for name, leg in legs.items() if name in LEGS}, ids, addresses, nodes, hosted)


def _results(table: pa.Table) -> Mapping[str, Flags]:
    return {result: says(table, "result", result) for result in words(table, "result")}
