"""A machine that has nothing on it: it copies what it runs from elsewhere, and only then is what it is to be.

`python -m topology.variants.machine_from_nothing ROLE HOST:PORT`, where HOST:PORT leads to `images`. From then on it
runs from its own copy, and nothing else.
"""

from __future__ import annotations

import http.client
import os
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

from topology.platform.place import Place
from topology.variants.images import fetch


def unpack(into: Path, response: http.client.HTTPResponse) -> None:
    """As it comes in, by the fastest there is. Raises OSError for what is no whole image."""
    into.mkdir(exist_ok=True)
    command = ["tar", "--extract", "--gzip", f"--directory={into}", "--no-same-owner"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as unpacking:
        assert unpacking.stdin is not None
        shutil.copyfileobj(response, unpacking.stdin, 1 << 20)
    if unpacking.returncode != 0:
        raise OSError(f"tar ended with {unpacking.returncode}")


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
