"""Whether containers of the engine can be reached from here: their networks are entered through this kernel."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from typing import Any

from harness.runtime.namespaces import root_of_the_machine


def hindrance(info: Mapping[str, Any]) -> str:
    """What keeps the harness out of containers, and what to do about it; empty if nothing. `info` is the engine's."""
    if (info.get("Name"), info.get("KernelVersion")) != (platform.node(), platform.release()):
        return (
            f"the engine is on another machine ({info.get('Name')}, {info.get('OperatingSystem')}), and nodes are "
            "looked at from inside their networks: run the harness there"
        )
    if any("rootless" in option for option in info.get("SecurityOptions") or ()):
        return (
            "the engine is rootless: its networks are in a user namespace that cannot be entered from here; "
            "use the machine's own engine, or --runtime local, which needs no root"
        )
    if not root_of_the_machine():
        return "only root can enter the networks of containers: run it with sudo, or with --runtime local"
    return ""
