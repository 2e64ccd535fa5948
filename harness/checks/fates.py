"""What became of each mail, from all legs of its way together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from harness.checks.columns import Flags, Ints
from harness.checks.legs import Leg, Mails


@dataclass(frozen=True)
class Fates:
    """What became of each mail; every array has one entry for each id.

    `drained`: every queue on the way was seen empty at the end.
    """

    mails: Mails
    drained: bool

    def _leg(self, name: str) -> Leg:
        empty = np.empty(0, np.int64)
        return self.mails.legs.get(name, Leg(empty, empty, empty, {}))

    def _said(self, leg: str, result: str) -> Flags:
        return self.mails.counts(self._leg(leg), self._leg(leg).said(result)) > 0

    @cached_property
    def composed(self) -> Flags:
        return self.mails.counts(self._leg("composed")) > 0

    @cached_property
    def addressee(self) -> Ints:
        """The address, as a number; -1 for mails that nobody composed."""
        found = np.full(len(self.mails.ids), -1, np.int64)
        found[self._leg("composed").mail] = self._leg("composed").to
        return found

    @cached_property
    def right(self) -> Flags:
        """Of the rows of the leg stored: where it is the addressee's mailbox."""
        stored = self._leg("stored")
        return np.equal(stored.to, self.addressee[stored.mail])

    @cached_property
    def copies(self) -> Ints:
        """How often it lies in its addressee's mailbox."""
        return self.mails.counts(self._leg("stored"), self.right)

    @cached_property
    def strays(self) -> Ints:
        """How often it lies in any other mailbox."""
        return self.mails.counts(self._leg("stored"), ~self.right)

    @cached_property
    def bounced(self) -> Flags:
        return self._missing & self._said("relayed", "bounced")

    @cached_property
    def astray(self) -> Flags:
        """Only in the wrong mailbox."""
        return self._missing & ~self.bounced & (self.strays > 0)

    @cached_property
    def waiting(self) -> Flags:
        """Accepted by the provider and not seen to leave it."""
        submitted: Flags = self.mails.counts(self._leg("submitted")) > 0
        return self._gone & submitted & ~self._said("relayed", "ok")

    @property
    def _missing(self) -> Flags:
        """Not in the addressee's mailbox."""
        absent: Flags = self.copies == 0
        return self.composed & absent

    @property
    def _gone(self) -> Flags:
        return self._missing & ~(self.bounced | self.astray)

    @cached_property
    def lost_at(self) -> Mapping[str, Flags]:
        """The leg that should have had it next -> which mails."""
        relayed = self._gone & self._said("relayed", "ok")
        unsent = self._gone & ~relayed & ~self.waiting
        return {
            "submitted": unsent & self._said("composed", "sent"),
            "relayed": self.waiting if self.drained else np.zeros_like(self.waiting),
            "stored": relayed,
        }

    @cached_property
    def queued(self) -> Flags:
        """Still in the outbox, or in a queue that nobody saw empty."""
        lost = np.any(list(self.lost_at.values()), axis=0)
        return np.asarray(self._gone & ~lost, np.bool_)

    @cached_property
    def out_ns(self) -> Ints:
        """When it first left the provider for good; a provider that crashed may not have noted that it did."""
        relayed, stored = self._leg("relayed"), self._leg("stored")
        left = self.mails.firsts(relayed, relayed.said("ok") | relayed.said("bounced"))
        return np.minimum(left, self.mails.firsts(stored, self.right))

    @cached_property
    def composed_ns(self) -> Ints:
        return self.mails.firsts(self._leg("composed"))
