"""What the nodes' image is made of, so that an image tells which sources it was made from.

`python -m topology.sources` prints it for the folder it runs in, as `sha256sum` does; the Dockerfile keeps that in the
image. It needs nothing but the standard library.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

#: What the Dockerfile copies, below the project's folder.
COPIED: Final = ("constraints.txt", "harness", "topology")
#: Packages that constraints.txt and requirements.txt name already; and programs that make the image, of which nothing
#: is in it.
WHEELS: Final = Path("topology/image/wheels")
MAKES: Final = (".sh", ".pyc")


def manifest(root: Path) -> dict[str, str]:
    """The SHA-256 of every file that goes into the image, by its path below the project's folder."""
    return {
        str(path): hashlib.sha256((root / path).read_bytes()).hexdigest() for path in sorted(_files(root))
    }


def written(files: Mapping[str, str]) -> str:
    return "".join(f"{digest}  {path}\n" for path, digest in files.items())


def read(text: str) -> dict[str, str]:
    """What `written` wrote."""
    pairs = (line.partition("  ") for line in text.splitlines())
    return {path: digest for digest, _, path in pairs}


def _files(root: Path) -> Iterator[Path]:
    for copied in COPIED:
        for path in (root / copied, *(root / copied).rglob("*")):
            below = path.relative_to(root)
            # Hidden files are an editor's or git's.
            hidden = any(part.startswith(".") for part in below.parts)
            if path.is_file() and path.suffix not in MAKES and not hidden and WHEELS not in below.parents:
                yield below


if __name__ == "__main__":
    sys.stdout.write(written(manifest(Path())))
