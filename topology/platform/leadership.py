"""Keeps the leadership of the consensus store at the witness.

When a leader of etcd dies, its successor starts every lease anew. So the lease of a primary that died with
the same zone would run for its whole length again, after the election. A leader elsewhere avoids that.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from topology.platform.etcd import CLIENT_PORT, Store, UnreachableError

LOOK_EVERY_S: Final = 1.0


def keep(node: str, members: Sequence[str]) -> None:
    """Look once a second, for as long as the member lives whose process started this one."""
    parent = os.getppid()
    own = Store([f"{node}:{CLIENT_PORT}"])
    while os.getppid() == parent:
        with suppress(UnreachableError):  # no majority, or a leader that has just gone: look again
            claim(own, members)
        time.sleep(LOOK_EVERY_S)


def claim(own: Store, members: Sequence[str]) -> bool:
    """Ask the present leader to hand over to the member behind `own`. True if it was asked to.

    Raises UnreachableError if this member or the leader gives no answer.
    """
    status = own.status()
    if not status.leader or status.leader == status.number:
        return False
    leader = next((member.name for member in own.members() if member.number == status.leader), "")
    if leader not in members:
        return False
    Store([f"{leader}:{CLIENT_PORT}"]).hand_over(status.number)
    print(f"took over the leadership from {leader}", flush=True)
    return True
