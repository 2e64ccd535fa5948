"""Keeps a region's database cluster what the fence says that it is: writable, or a copy of the region that is.

A cluster that may not write is a standby cluster of Patroni's: its leader streams from the writable region, in place of
taking writes. The setting `standby_cluster` in the consensus store makes it one, and its absence ends it; Patroni
demotes or promotes within its next round.

    fence says            the cluster is
    this region           writable
    another region        a copy of that region
    nobody                whatever copy it was, or read-only on its own; what it held until then stays

Before Patroni starts the fence must have answered, however long that takes: a region that comes back from a power loss
learns that another has taken its place before it can take a write. While Patroni runs the fence is asked every second
and says at once what changes, and without an answer everything stays as it is.

How far a copy is behind: `GET /patroni` of its leader, port 8008, has `xlog.received_location` and
`xlog.replayed_timestamp`; that of the writable region's primary has `xlog.location`, and under `replication` the state
of everyone who streams from it.
"""

from __future__ import annotations

import http.client
import json
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from topology.platform.database_configuration import SCOPE
from topology.platform.etcd import Store, UnreachableError

ASK_EVERY_S: Final = 1.0
ASK_WITHIN_S: Final = 2.0
#: What all nodes of the cluster have agreed on, as Patroni keeps it.
CONFIG: Final = f"/service/{SCOPE}/config"
#: A copy of nobody: there is nothing to restore from.
READ_ONLY: Final[Mapping[str, object]] = {"restore_command": "false"}
#: How an empty disk is filled, see `database_seed`; also while the cluster has no leader.
COPY: Final = "copy"


class NoWord(Exception):
    """The fence gave no answer: why."""


@dataclass(frozen=True)
class Word:
    """What the fence said: who may write, None for nobody."""

    region: str | None
    epoch: int

    def __str__(self) -> str:
        return f"{self.region or 'nobody'} may write (epoch {self.epoch})"


@dataclass(frozen=True)
class Guard:
    """`fence` is `host:port`; `remotes` says where the databases of each other region are reached, as `host:port`."""

    node: str
    region: str
    fence: str
    remotes: Mapping[str, tuple[str, ...]]
    store: Store

    def ask(self, after: int | None = None) -> Word:
        """After an epoch that is known already: once it is over, or after a second. Raises NoWord."""
        host, _, port = self.fence.partition(":")
        connection = http.client.HTTPConnection(host, int(port or 8000), timeout=ASK_WITHIN_S)
        try:
            connection.request("GET", "/writable" if after is None else f"/writable?after={after}")
            response = connection.getresponse()
            body = json.loads(response.read())
            return Word(body["region"], int(body["epoch"]))
        except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError) as failure:
            raise NoWord(f"{self.fence}: {failure or type(failure).__name__}") from failure
        finally:
            connection.close()

    def setting(self, word: Word, present: Mapping[str, object] | None) -> Mapping[str, object] | None:
        """What `standby_cluster` must be where it is `present` now. None: the cluster is writable."""
        if word.region == self.region:
            return None
        remotes = self.remotes.get(word.region or "", ())
        return copy_of(remotes) if remotes else present or READ_ONLY

    def align(self, word: Word) -> bool:
        """Make the cluster what the fence says. Whether anything had to be changed. Raises UnreachableError."""
        written = self.store.get(CONFIG)
        if written is None:
            return False  # nobody has made the cluster yet
        agreed = json.loads(written)
        present = agreed.get("standby_cluster") or None
        wanted = self.setting(word, present)
        if wanted == present:
            return False
        changed = {name: value for name, value in agreed.items() if name != "standby_cluster"}
        if wanted is not None:
            changed["standby_cluster"] = dict(wanted)
        if not self.store.swap(CONFIG, written, json.dumps(changed, separators=(",", ":"))):
            return False  # somebody else was first; look again
        print(f"{self.node}: {word}; this cluster {_told(wanted)}", flush=True)
        return True

    def keep(self) -> None:
        """Ask once a second, and hear of a change at once, for as long as the process lives that started this one."""
        parent = os.getppid()
        epoch: int | None = None
        while os.getppid() == parent:
            began_s = time.monotonic()
            known, epoch = epoch, None
            with suppress(NoWord, UnreachableError):
                word = self.ask(known)
                self.align(word)
                epoch = word.epoch
            if epoch is None or epoch == known:
                time.sleep(max(0.0, began_s + ASK_EVERY_S - time.monotonic()))

    def fork(self) -> None:
        """`keep` in a process beside this one."""
        if os.fork() == 0:
            try:
                self.keep()
            finally:
                os._exit(0)


def copy_of(remotes: tuple[str, ...]) -> Mapping[str, object]:
    """Patroni's `standby_cluster` for a copy of a cluster whose nodes are reached there."""
    hosts, ports = zip(*(remote.partition(":")[::2] for remote in remotes), strict=True)
    return {"host": ",".join(hosts), "port": ",".join(ports), "create_replica_methods": [COPY]}


def _told(setting: Mapping[str, object] | None) -> str:
    if setting is None:
        return "takes writes"
    host = setting.get("host")
    return f"follows {host}" if host else "takes no writes and follows nobody"


def from_environment(node: str, region: str, store: Store, environment: Mapping[str, str]) -> Guard | None:
    """The guard that FENCE and REMOTE_<REGION> ask for; None where FENCE is empty: then nobody is asked."""
    fence = environment.get("FENCE", "")
    if not fence:
        return None
    remotes = {
        name.removeprefix("REMOTE_").lower(): tuple(each for each in value.split(",") if each)
        for name, value in environment.items()
        if name.startswith("REMOTE_")
    }
    return Guard(node, region, fence, remotes, store)
