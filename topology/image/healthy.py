#!/usr/bin/env -S python3 -I -S
"""`healthy PORT/PATH`, inside a container: whether the node says that it is healthy, within 50 s.

The engine's health check. It waits rather than being asked again: starting it costs the host more than all its waiting.
It uses the standard library alone, and as little of it as will do.
"""

import sys
import time
from http.client import HTTPConnection, HTTPException

WITHIN_S = 50.0
ASK_EVERY_S = 0.5
ANSWERS_WITHIN_S = 5.0


def said(port: int, path: str) -> str:
    """What a GET of it gives: "" for 200, otherwise what was wrong."""
    connection = HTTPConnection("127.0.0.1", port, timeout=ANSWERS_WITHIN_S)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return (
            ""
            if response.status == 200
            else f"{response.status} {response.read(500).decode(errors='replace')}"
        )
    except (OSError, HTTPException) as failure:
        return str(failure) or type(failure).__name__
    finally:
        connection.close()


def main() -> int:
    port, _, path = sys.argv[1].partition("/")
    deadline = time.monotonic() + WITHIN_S
    while wrong := said(int(port), f"/{path}"):
        if time.monotonic() + ASK_EVERY_S >= deadline:
            print(f"{sys.argv[1]}: {wrong}")
            return 1
        time.sleep(ASK_EVERY_S)
    return 0


if __name__ == "__main__":
    sys.exit(main())
