"""`python -m harness.load.master CONFIG.json`: the master of several processes that play people, until SIGTERM.

It says `ready` when all of them play, shows their live lines as one, and ends them together. See `workers`.
"""

from __future__ import annotations

import contextlib
import json
import signal
import sys
from pathlib import Path
from typing import Final

import gevent
from gevent.event import Event
from locust.env import Environment

from harness.load.citizen import Citizen
from harness.load.config import LoadConfig
from harness.load.workers import LOOK_EVERY_S, Master

_ENDS_WITHIN_S: Final = 12.0


def main() -> int:
    config = LoadConfig.from_json(Path(sys.argv[1]).read_text())
    stop = Event()
    gevent.signal_handler(signal.SIGTERM, stop.set)
    gevent.signal_handler(signal.SIGINT, stop.set)
    master = Master(Environment(user_classes=[Citizen]), config)
    while not master.all_play() and not stop.wait(LOOK_EVERY_S):
        pass
    with contextlib.suppress(BrokenPipeError):  # nobody watches any more; what is recorded counts
        print("ready", flush=True)
        while not stop.wait(config.live_every_s):
            if line := master.line:
                print(json.dumps(line), flush=True)
    stop.wait()
    return 0 if master.end(_ENDS_WITHIN_S) else 1


if __name__ == "__main__":
    sys.exit(main())
