"""The books of a mail's way: on each leg, how many mails came and what became of them. Every row adds up.

    came = on + bounced + waiting + lost + misdelivered + rests

`came`: it was seen on this leg or, where a crash left no record, on a later one. `rests`: it may stay where it is; a
mail in its mailbox of which nobody has heard or that nobody has opened is neither lost nor late.

    composed ─► submitted ─► relayed ─► stored ─┬─► noticed ─► opened
                                                └─ looked for by hand ─► opened
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from harness.checks.columns import Flags
from harness.checks.fates import Fates
from harness.rundir import Json


@dataclass(frozen=True)
class Account:
    """One leg's mails: which came, and what became of each of them."""

    came: Flags
    on: Flags
    bounced: Flags
    waiting: Flags
    lost: Flags
    misdelivered: Flags
    rests: Flags

    def counted(self) -> dict[str, Json]:
        return {name: int(flags.sum()) for name, flags in vars(self).items()}


def ledger(fates: Fates) -> Mapping[str, Account]:
    """Every leg's account, in the order of the way."""
    none = np.zeros(len(fates.mails.ids), np.bool_)
    composed, submitted, relayed = fates.composed, fates.submitted, fates.relayed
    stored, noticed, opened = fates.stored, fates.noticed, fates.opened
    known = noticed | opened
    return {
        "composed": Account(
            came=composed,
            on=submitted,
            bounced=none,
            waiting=fates.queued & ~submitted,
            lost=fates.lost_at["submitted"],
            misdelivered=none,
            rests=none,
        ),
        "submitted": Account(
            came=submitted,
            on=relayed,
            bounced=fates.bounced & ~relayed,
            waiting=fates.queued & submitted & ~relayed,
            lost=fates.lost_at["relayed"],
            misdelivered=none,
            rests=none,
        ),
        "relayed": Account(
            came=relayed,
            on=stored,
            bounced=fates.bounced & relayed,
            waiting=fates.queued & relayed,  # where mail is hosted
            lost=fates.lost_at["stored"],
            misdelivered=fates.astray,
            rests=none,
        ),
        "stored": Account(stored, known, none, none, none, none, rests=stored & ~known),
        "noticed": Account(noticed, noticed & opened, none, none, none, none, rests=noticed & ~opened),
        "opened": Account(opened, none, none, none, none, none, rests=opened),
    }
