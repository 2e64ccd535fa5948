"""Python's search for garbage, where it would look in vain."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """No garbage is looked for inside: for work of a second or so whose many objects nearly all stay until its end.

    Looking through them again and again takes up to as long as making them. Threads may overlap in it.
    """
    collected = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collected:
            gc.enable()
