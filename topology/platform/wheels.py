"""The real servers, as the Python wheels that bring them: etcd, PostgreSQL, Envoy."""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec
from pathlib import Path


def folder(package: str, distribution: str) -> Path:
    """Where an installed package is; found without importing it. Raises SystemExit if it is not installed."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise SystemExit(f"{package} is missing: pip install {distribution}")
    return Path(spec.origin).parent


def executable(program: Path, scratch: Path) -> Path:
    """The program, or a copy of it that can be run: some installers drop the x bit."""
    if os.access(program, os.X_OK):
        return program
    copy = scratch / program.name
    shutil.copyfile(program, copy)
    copy.chmod(0o755)
    return copy
