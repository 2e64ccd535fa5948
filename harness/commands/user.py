"""Whoever sits at the command line."""

from __future__ import annotations

import getpass
import os


def name() -> str:
    """What the system calls them; their number where it has no name for them."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
