"""The files of a new database cluster, made while the consensus store is still finding its majority.

Patroni would make them only then. It asks for `initdb` in its own time, and is given a script of that name which
hands over what is there already.
"""

from __future__ import annotations

import shlex
import shutil
import subprocess
from pathlib import Path

from topology.platform.database_configuration import INITDB, Cluster


def begin(cluster: Cluster) -> subprocess.Popen[bytes]:
    """Start making the files. Until they are whole they are not where anyone would look for them."""
    discard(cluster)
    password = cluster.scratch / "superuser"
    password.touch(mode=0o600)
    password.write_text(cluster.password)
    options = ["--username=postgres", f"--pwfile={password}", *(f"--{option}" for option in INITDB)]
    return subprocess.Popen(
        [cluster.binaries / "initdb", *options, _partial(cluster)], stdout=subprocess.DEVNULL
    )


def end(cluster: Cluster, making: subprocess.Popen[bytes], *, wanted: bool) -> None:
    """Wait for the files. If they could not be made, Patroni will try, and say why."""
    if making.wait() == 0 and wanted:
        _partial(cluster).rename(cluster.seed)
    else:
        discard(cluster)


def discard(cluster: Cluster) -> None:
    for leftover in (_partial(cluster), cluster.seed):
        shutil.rmtree(leftover, ignore_errors=True)


def write_copy_script(cluster: Cluster) -> None:
    """What Patroni calls to copy another region's cluster, also where its own basebackup waits for a leader first."""
    command = shlex.quote(str(cluster.binaries / "pg_basebackup"))
    cluster.copy.write_text(f"""\
#!/bin/sh
for word; do
    case $word in --datadir=*) data=${{word#*=}};; --connstring=*) source=${{word#*=}};; esac
done
exec {command} --pgdata="$data" --dbname="$source" --wal-method=stream --checkpoint=fast --no-sync
""")
    cluster.copy.chmod(0o755)


def write_script(cluster: Cluster) -> None:
    """What Patroni calls as `initdb`; its last argument is the place for the files."""
    real, seed = shlex.quote(str(cluster.binaries / "initdb")), shlex.quote(str(cluster.seed))
    cluster.initdb.write_text(
        f'#!/bin/sh\nfor place; do :; done\nif [ -d {seed} ]; then exec mv {seed} "$place"; fi\nexec {real} "$@"\n'
    )
    cluster.initdb.chmod(0o755)


def _partial(cluster: Cluster) -> Path:
    return cluster.seed.with_name(f"{cluster.seed.name}.partial")
