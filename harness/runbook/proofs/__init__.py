"""What proves a step: a look from outside that can say no. None of them changes anything but its own test rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from harness.runbook.proofs import (
    answers,
    areas,
    balancers,
    hosting,
    mail,
    names,
    nodes,
    notice,
    release,
    restored,
    signal,
    spam,
    users,
    writes,
)
from harness.runbook.proofs.proof import Proof

#: By the word that a step writes under `proof`.
PROOFS: Final[Mapping[str, Proof]] = {
    proof.name: proof
    for proof in (
        nodes.UNREACHABLE,
        nodes.HEALTHY,
        writes.FENCED,
        writes.REPLAYED,
        writes.LAG_BELOW,
        writes.NOTHING_LEFT,
        writes.WRITABLE,
        writes.FOLLOWING,
        names.NAMES,
        balancers.PASSED_ON,
        balancers.SERVING,
        users.USERS,
        users.THROUGH,
        release.RELEASED,
        notice.SHOWN,
        answers.COMPLETE,
        restored.RESTORED,
        restored.COPIED,
        areas.SERVED,
        areas.UNHARMED,
        signal.SIGNAL,
        hosting.FIREWALL_CUT,
        hosting.FIREWALL_OPEN,
        hosting.SWITCHED_ON,
        hosting.USERS_VERIFIED,
        hosting.DELIVERED,
        mail.SUSPENDED,
        mail.BACKLOG,
        spam.TAKEN,
        spam.PASSES,
        spam.EMPTY,
    )
}
