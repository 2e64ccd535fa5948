"""`python -m topology publish`: the agency, on whose node this runs, says what stands in the JSON object on stdin."""

from __future__ import annotations

import http.client
import json
import sys
from datetime import datetime
from typing import Final

from topology.world.telegrams import build

PORT: Final = 8000
TIMEOUT_S: Final = 10.0


def main() -> int:
    """Build the telegram from `telegrams.build`'s arguments and hand it to the agency's outgoing journal."""
    words = json.load(sys.stdin)
    words["reported"] = datetime.fromisoformat(words["reported"])
    telegram = build(**words)
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=TIMEOUT_S)
    connection.request("POST", "/telegrams", telegram, {"Content-Type": "application/xml"})
    reply = connection.getresponse()
    if reply.status != 202:
        print(f"the agency answered {reply.status}: {reply.read().decode(errors='replace')}", file=sys.stderr)
        return 1
    return 0
