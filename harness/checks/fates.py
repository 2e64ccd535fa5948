"""What became of each mail, from all legs of its way together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from harness.checks.columns import Flags, Ints
from harness.checks.legs import NEVER, Leg, Mails
from harness.rundir.history import BY_HAND, BY_NOTICE


@dataclass(frozen=True)
class Seen:
    """Where a mail was last seen: on which leg, by which node, when, and what that node said of it."""

    leg: str
    node: str
    at_ns: int
    result: str


@dataclass(frozen=True)
class Fates:
    """What became of each mail; every array has one entry for each id.

    `drained`: every queue on the way was seen empty at the end.
    """

    mails: Mails
    drained: bool

    def _leg(self, name: str) -> Leg:
        return self.mails.leg(name)

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

    # -- how far it came ---------------------------------------------------------------------------------------

    @cached_property
    def submitted(self) -> Flags:
        """The provider had it: it says so itself, or a later leg shows it."""
        seen = self.mails.counts(self._leg("submitted")) + self.mails.counts(self._leg("relayed")) > 0
        return np.asarray(self.composed & (seen | self.relayed), np.bool_)

    @cached_property
    def relayed(self) -> Flags:
        """The carrier had it, or who hosts the mail: it said 250, has it in its books, or it is in some mailbox."""
        seen = self.mails.counts(self._leg("accepted")) + self.copies + self.strays > 0
        return np.asarray(self.composed & (self._said("relayed", "ok") | seen), np.bool_)

    @cached_property
    def stored(self) -> Flags:
        """It is in its addressee's mailbox."""
        return np.asarray(self.composed & (self.copies > 0), np.bool_)

    @cached_property
    def noticed(self) -> Flags:
        """Of those stored: a handset rang for it. So it did, too, where whoever opened it had heard it, and who rang it
        lost its own record of that with its storage.
        """
        rang = self._said("noticed", "ok") | self._said("opened", BY_NOTICE)
        return np.asarray(self.stored & rang, np.bool_)

    @cached_property
    def opened(self) -> Flags:
        """Of those stored: somebody opened it, after a notice or looking by hand."""
        return np.asarray(self.stored & (self.mails.counts(self._leg("opened")) > 0), np.bool_)

    @cached_property
    def by_hand(self) -> Flags:
        """Of those opened: whoever opened it had looked into the mailbox by hand, for no notice had come."""
        return np.asarray(self.opened & self._said("opened", BY_HAND), np.bool_)

    # -- and where it ended ------------------------------------------------------------------------------------

    @cached_property
    def bounced(self) -> Flags:
        return self._missing & (self._said("relayed", "bounced") | self._said("accepted", "bounced"))

    @cached_property
    def astray(self) -> Flags:
        """Only in the wrong mailbox."""
        return self._missing & ~self.bounced & (self.strays > 0)

    @cached_property
    def waiting(self) -> Flags:
        """Accepted by the provider and not seen to leave it, or accepted where mail is hosted and not over there."""
        return self._gone & self.submitted & (~self.relayed | self._held)

    @cached_property
    def _held(self) -> Flags:
        """In the spool of a hosting provider: accepted, and nothing of what ends that."""
        over = self._said("accepted", "ok") | self._said("accepted", "discarded")
        return np.asarray(
            self._said("accepted", "accepted") & ~(over | self._said("accepted", "bounced")), np.bool_
        )

    @cached_property
    def discarded(self) -> Flags:
        """Thrown away where mail is hosted, after the 250."""
        return np.asarray(self.composed & self._said("accepted", "discarded"), np.bool_)

    @cached_property
    def brought_back(self) -> Flags:
        """Thrown away, and in the addressee's mailbox all the same: redelivered from the archive."""
        return np.asarray(self.discarded & self.stored, np.bool_)

    @property
    def _missing(self) -> Flags:
        """Not in the addressee's mailbox."""
        return self.composed & ~self.stored

    @property
    def _gone(self) -> Flags:
        return self._missing & ~(self.bounced | self.astray)

    @cached_property
    def lost_at(self) -> Mapping[str, Flags]:
        """The leg that should have had it next -> which mails."""
        relayed = self._gone & self.relayed
        if not self.drained:
            relayed &= ~self.waiting
        unsent = self._gone & ~self.submitted
        return {
            "submitted": unsent & self._said("composed", "sent"),
            "relayed": self.waiting & ~self.relayed if self.drained else np.zeros_like(self.waiting),
            "stored": relayed,
        }

    @cached_property
    def lost(self) -> Flags:
        """On whichever leg."""
        return np.asarray(np.any(list(self.lost_at.values()), axis=0), np.bool_)

    @cached_property
    def vanished(self) -> Flags:
        """Gone after somebody had taken it over: after the provider's 202, the carrier's or the hosting provider's 250;
        also when an archive brought it back later.
        """
        return np.asarray(self.lost_at["relayed"] | self.lost_at["stored"] | self.discarded, np.bool_)

    @cached_property
    def queued(self) -> Flags:
        """Still in the outbox, or in a queue that nobody saw empty."""
        return np.asarray(self._gone & ~self.lost, np.bool_)

    # -- when --------------------------------------------------------------------------------------------------

    @cached_property
    def out_ns(self) -> Ints:
        """When it first left the provider for good; a provider that crashed may not have noted that it did."""
        relayed, stored = self._leg("relayed"), self._leg("stored")
        left = self.mails.firsts(relayed, relayed.said("ok") | relayed.said("bounced"))
        return np.minimum(left, self.mails.firsts(stored, self.right))

    @cached_property
    def unhindered(self) -> Flags:
        """Of those composed: no mail to the same domain was ever put off by its receiver."""
        names, of = self.mails.domain
        relayed = self._leg("relayed")
        put_off = np.zeros(len(names), np.bool_)
        put_off[of[self.addressee[relayed.mail[relayed.said("deferred") & self.composed[relayed.mail]]]]] = (
            True
        )
        found = self.composed.copy()
        found[self.composed] = ~put_off[of[self.addressee[self.composed]]]
        return found

    @cached_property
    def composed_ns(self) -> Ints:
        return self.mails.firsts(self._leg("composed"))

    def late(self, within_ns: int, ended_ns: int) -> Flags:
        """Which did not leave the provider within that time; of those that still wait, whose time was up at the end.

        A lost mail is lost, and not late.
        """
        alive = self.composed & ~self.lost
        out_ns = np.where(self.out_ns == NEVER, ended_ns, self.out_ns)
        took_ns = np.where(alive, out_ns, 0) - np.where(alive, self.composed_ns, 0)
        return np.asarray(alive & (took_ns > within_ns), np.bool_)

    # -- where last --------------------------------------------------------------------------------------------

    @cached_property
    def last(self) -> tuple[Ints, Ints]:
        """Where each mail was seen last: the leg, as its place among all, and the row of it; -1 for nowhere.

        At the same instant the later leg is the last.
        """
        latest, legs, rows = (np.full(len(self.mails.ids), -1, np.int64) for _ in range(3))
        for place, leg in enumerate(self.mails.way.values()):
            order = np.argsort(leg.at_ns, kind="stable")
            order = order[leg.at_ns[order] >= latest[leg.mail[order]]]
            mail = leg.mail[order]
            latest[mail], rows[mail] = leg.at_ns[order], order  # of several the last, for they are in order
            legs[mail] = place
        return legs, rows

    def last_seen(self, mail: int) -> Seen:
        """Raises KeyError for a mail that was seen nowhere."""
        place, row = (int(found[mail]) for found in self.last)
        if place < 0:
            raise KeyError(mail)
        name, leg = list(self.mails.way.items())[place]
        return self._seen(name, leg, row)

    def discarded_at(self, mail: int) -> Seen:
        """Where, when and by whom a discarded mail was thrown away."""
        leg = self._leg("accepted")
        rows = np.flatnonzero((leg.mail == mail) & leg.said("discarded"))
        return self._seen("accepted", leg, int(rows[-1]))

    def _seen(self, name: str, leg: Leg, row: int) -> Seen:
        said = next((result for result, where in leg.result.items() if where[row]), "")
        return Seen(name, self.mails.nodes[int(leg.node[row])].as_py(), int(leg.at_ns[row]), said)
