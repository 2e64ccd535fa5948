"""Who still has a file system that everybody should have let go of."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from harness.runtime import house

#: Named in a message at most.
MOST: Final = 5


def holders(number: str) -> str:
    """The processes of this machine that have the device `MAJOR:MINOR` mounted, or open; what may not be seen is not.

    In words, to come after "in use"; empty where nobody was found.
    """
    named: dict[str, str] = {}
    for process in house.machine().glob("[0-9]*"):
        for how, mark in _held(process, number):
            named.setdefault(mark, f"{how} by {process.name} ({_name(process)})")
    found = [*named.values()]
    more = f" and {len(found) - MOST} more" if len(found) > MOST else ""
    return ", ".join(found[:MOST]) + more


def _held(process: Path, number: str) -> Iterator[tuple[str, str]]:
    """How, and what is the same for all who hold it so: processes share their mounts."""
    try:
        if f" {number} " in (process / "mountinfo").read_text():
            yield "mounted", os.readlink(process / "ns" / "mnt")
        for entry in [process / "cwd", process / "root", *(process / "fd").iterdir()]:
            if _device(entry) == number:
                yield "open", process.name
    except OSError:
        return  # it ended, or is not to be looked at


def _device(entry: Path) -> str:
    try:
        at = entry.stat().st_dev
    except OSError:
        return ""
    return f"{os.major(at)}:{os.minor(at)}"


def _name(process: Path) -> str:
    try:
        return (process / "comm").read_text().strip()
    except OSError:
        return "ended"
