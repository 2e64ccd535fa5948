"""What Patroni and PostgreSQL are told: pure data, made from a `Cluster`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SCOPE: Final = "anpi"
POSTGRESQL_PORT: Final = 5432
PATRONI_PORT: Final = 8008
#: The replica's own network, see the topology file.
NETWORK: Final = "10.77.0.0/16"

#: The lease of the primary: after this long without a sign of life it is over. Patroni takes nothing below
#: 20 s, and wants loop_wait + 2 x retry_timeout <= ttl.
TTL_S: Final = 20
LOOP_WAIT_S: Final = 1
RETRY_TIMEOUT_S: Final = 9
#: A standby whose machine is gone acknowledges nothing; this long after, its connection counts as broken.
SILENCE_MS: Final = 2000
#: The same for a standby whose machine is there but whose PostgreSQL answers nothing.
HANG_MS: Final = 5000

#: Shared memory that ends with the node's IPC namespace; POSIX's would stay behind in /dev/shm after a power loss.
SHARED_MEMORY: Final = "sysv"

#: How a new cluster is made. Small segments: it and a copy of it write less before they can start. One sync of
#: the file system, instead of one of each of a thousand files.
INITDB: Final = (
    "encoding=UTF8",
    "locale=C",
    "locale-provider=builtin",
    "builtin-locale=C.UTF-8",
    "auth-local=trust",
    "auth-host=scram-sha-256",
    "wal-segsize=4",
    "sync-method=syncfs",
    f"set=dynamic_shared_memory_type={SHARED_MEMORY}",
    "data-checksums",
    "no-instructions",
)


@dataclass(frozen=True)
class Cluster:
    """One node's view of the database cluster. `hosts`: all its nodes; the first one makes the cluster."""

    node: str
    hosts: tuple[str, ...]
    consensus: tuple[str, ...]
    password: str
    synchronous: bool
    standby_cluster: Mapping[str, object] | None  # of whom a new cluster is a copy, see `guard`
    data: Path
    scratch: Path
    binaries: Path

    @property
    def configuration(self) -> Path:
        return self.scratch / "patroni.yml"

    @property
    def seed(self) -> Path:
        """The files of a new cluster, made ahead; on the same disk as `data`."""
        return self.data.with_name("seed")

    @property
    def initdb(self) -> Path:
        return self.scratch / "initdb"

    @property
    def copy(self) -> Path:
        return self.scratch / "copy"

    @property
    def roles(self) -> Path:
        return self.scratch / "roles.sql"


def patroni(cluster: Cluster) -> Mapping[str, object]:
    """Patroni's configuration file. JSON is YAML, so it can be written as either."""
    return {
        "scope": SCOPE,
        "name": cluster.node,
        "log": {
            "level": "INFO",
            "deduplicate_heartbeat_logs": True,
            "format": "%(asctime)s %(levelname)s %(message)s",
        },
        "restapi": {"listen": f"0.0.0.0:{PATRONI_PORT}", "connect_address": f"{cluster.node}:{PATRONI_PORT}"},
        "etcd3": {"hosts": list(cluster.consensus)},
        "bootstrap": {
            "dcs": _agreed(cluster),
            "initdb": [dict([option.split("=", 1)]) if "=" in option else option for option in INITDB],
            "post_bootstrap": f"{cluster.binaries}/psql -X -q -v ON_ERROR_STOP=1 -f {cluster.roles}",
        },
        "postgresql": _local(cluster),
        "tags": {},
    }


def _agreed(cluster: Cluster) -> Mapping[str, object]:
    """What all nodes have in common, kept in the consensus store once the cluster is made."""
    return {
        **({"standby_cluster": dict(cluster.standby_cluster)} if cluster.standby_cluster else {}),
        "ttl": TTL_S,
        "loop_wait": LOOP_WAIT_S,
        "retry_timeout": RETRY_TIMEOUT_S,
        "primary_start_timeout": 0,  # a primary that crashed is not restarted while a standby can take over
        "synchronous_mode": cluster.synchronous,
        "synchronous_mode_strict": False,
        "synchronous_node_count": 1,
        "failsafe_mode": False,
        "maximum_lag_on_failover": 64 * 1024 * 1024,
        "postgresql": {
            "use_pg_rewind": True,
            "use_slots": True,
            "remove_data_directory_on_rewind_failure": True,
            "remove_data_directory_on_diverged_timelines": True,
            "parameters": {
                "max_connections": 200,
                "max_worker_processes": 4,
                # The other node of the region, two other regions, and whoever makes backups or a copy meanwhile.
                "max_wal_senders": 16,
                "max_replication_slots": 10,
                # A region that was cut off goes on where it stopped, if it was not for long. No slots for the
                # regions: one that is gone for good would hold up what the primary can throw away.
                "wal_keep_size": "512MB",
                "wal_level": "replica",
                "wal_log_hints": "on",
                "hot_standby": "on",
            },
        },
    }


def _local(cluster: Cluster) -> Mapping[str, object]:
    return {
        "listen": f"0.0.0.0:{POSTGRESQL_PORT}",
        "connect_address": f"{cluster.node}:{POSTGRESQL_PORT}",
        "data_dir": str(cluster.data),
        "bin_dir": str(cluster.binaries),
        "bin_name": {"initdb": str(cluster.initdb)},
        "pgpass": str(cluster.scratch / "pgpass"),
        "use_unix_socket": True,
        "use_unix_socket_repl": True,
        "authentication": {
            "superuser": {"username": "postgres", "password": cluster.password},
            "replication": {"username": "replicator", "password": cluster.password},
        },
        "pg_hba": [
            "local all all trust",
            "local replication all trust",
            f"host replication replicator {NETWORK} scram-sha-256",
            f"host all all {NETWORK} scram-sha-256",
        ],
        # What the copy does not sync, the standby does before it starts on it: recovery_init_sync_method.
        "basebackup": [{"checkpoint": "fast"}, "no-sync"],
        "copy": {"command": str(cluster.copy), "no_leader": True},
        "parameters": _parameters(cluster),
    }


def _parameters(cluster: Cluster) -> Mapping[str, object]:
    silence = {
        # The other side may vanish without a word: another node, and its kernel with it.
        "tcp_keepalives_idle": 1,
        "tcp_keepalives_interval": 1,
        "tcp_keepalives_count": 3,
        "tcp_user_timeout": SILENCE_MS,
        "wal_sender_timeout": HANG_MS,
        "wal_receiver_timeout": HANG_MS,
        "wal_receiver_status_interval": 1,
        "wal_retrieve_retry_interval": 200,
        "client_connection_check_interval": 1000,
    }
    replication = {
        # With a synchronous standby a commit is acknowledged when the standby shows it, too.
        "synchronous_commit": "remote_apply",
        "hot_standby_feedback": "on",
        # A query on the standby must not hold up what commits wait for.
        "max_standby_streaming_delay": 500,
        "max_slot_wal_keep_size": "1GB",
    }
    small = {
        "recovery_init_sync_method": "syncfs",
        "dynamic_shared_memory_type": SHARED_MEMORY,
        "shared_buffers": "64MB",
        "max_wal_size": "512MB",
        "checkpoint_timeout": "5min",
        "max_parallel_workers_per_gather": 0,
        "io_method": "sync",
        "jit": "off",
    }
    log = {
        # Statements and details can hold what people wrote; a log must not.
        "log_error_verbosity": "terse",
        "log_min_error_statement": "panic",
        "log_checkpoints": "off",
        "log_line_prefix": "%m [%p] ",
    }
    return {"unix_socket_directories": str(cluster.scratch), **silence, **replication, **small, **log}


def roles(cluster: Cluster) -> str:
    """SQL for a new cluster: the service's role, its database, and one for those who watch."""
    password = cluster.password.replace("'", "''")
    return f"""\
CREATE ROLE anpi LOGIN PASSWORD '{password}';
CREATE DATABASE anpi OWNER anpi;
CREATE DATABASE observer OWNER anpi;
"""
