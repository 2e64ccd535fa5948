"""A machine that has nothing on it: it copies what it runs from elsewhere, and only then is what it is to be.

`python -m topology.variants.machine_from_nothing ROLE HOST:PORT`, where HOST:PORT leads to `images`. From then on it
runs from its own copy, and nothing else.
"""

from __future__ import annotations

import http.client
import os
import sys
import tarfile
from functools import partial
from pathlib import Path

from topology.platform.place import Place
from topology.variants.images import fetch


def unpack(into: Path, response: http.client.HTTPResponse) -> None:
    """Raises OSError, EOFError, TarError for what is no whole image."""
    with tarfile.open(fileobj=response, mode="r|gz", bufsize=1 << 20) as archive:
        archive.extractall(into, filter="tar")


def main(argv: list[str]) -> int:
    role, images = argv[1:]
    place = Place.here()
    into = place.scratch / "image"
    fetch(images, partial(unpack, into), place.node)
    # Without its own site packages the interpreter finds nothing but what was copied.
    environment = {**os.environ, "PYTHONPATH": str(into)}
    os.execve(sys.executable, [sys.executable, "-S", "-m", "topology", role], environment)


if __name__ == "__main__":
    sys.exit(main(sys.argv))
