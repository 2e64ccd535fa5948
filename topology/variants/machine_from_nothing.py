"""A machine that has nothing on it: it copies what it runs from another region, and only then is what it is to be.

`python -m topology.variants.machine_from_nothing ROLE HOST:PORT`, where HOST:PORT leads to the `images`. From then on
it runs from its own copy, and nothing else.
"""

from __future__ import annotations

import http.client
import os
import sys
import tarfile
import time
from pathlib import Path
from typing import Final

from topology.platform.place import Place
from topology.variants.images import NAME

ANSWERS_WITHIN_S: Final = 10.0
AGAIN_AFTER_S: Final = 0.5


def copy(images: str, into: Path) -> int:
    """What an image holds, unpacked; how many bytes came over the line. Raises OSError, HTTPException, TarError."""
    connection = http.client.HTTPConnection(images, timeout=ANSWERS_WITHIN_S)
    try:
        connection.request("GET", f"/{NAME}")
        response = connection.getresponse()
        if response.status != http.client.OK:
            raise OSError(f"{images}: http {response.status}")
        size = int(response.headers["Content-Length"])
        with tarfile.open(fileobj=response, mode="r|gz", bufsize=1 << 20) as archive:
            archive.extractall(into, filter="tar")
        return size
    finally:
        connection.close()


def main(argv: list[str]) -> int:
    role, images = argv[1:]
    place, began_s = Place.here(), time.monotonic()
    into = place.scratch / "image"
    while True:
        try:
            size = copy(images, into)
            break
        except (OSError, http.client.HTTPException, tarfile.TarError) as failure:
            print(f"{place.node}: no image yet: {failure}", flush=True)
            time.sleep(AGAIN_AFTER_S)
    print(f"{place.node}: {size} bytes of image after {time.monotonic() - began_s:.1f} s", flush=True)
    # Without its own site packages the interpreter finds nothing but what was copied.
    environment = {**os.environ, "PYTHONPATH": str(into)}
    os.execve(sys.executable, [sys.executable, "-S", "-m", "topology", role], environment)


if __name__ == "__main__":
    sys.exit(main(sys.argv))
