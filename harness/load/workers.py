"""Several processes that play people together: Locust's master and its workers, and what they say to each other.

        worker ── playing ──▶ master     its people are settled, it looks after them
        worker ── line ─────▶ master     its live line, again and again
        worker ◀── end ────── master     nobody sets out any more, write down what you have
        worker ── ended ────▶ master     all is written down

Who plays whom is settled before: a person is their worker's by their number, whichever process is first. Each worker
keeps the times of its own people and writes its own history, so nothing that is measured waits for the master.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import gevent
from gevent.event import Event
from locust.env import Environment
from locust.runners import STATE_MISSING, MasterRunner, Runner, WorkerRunner

from harness.load.config import LoadConfig
from harness.load.tally import together
from harness.rundir import Json

PLAYING: Final = "playing"
LINE: Final = "line"
END: Final = "end"
ENDED: Final = "ended"

#: How long a worker that has ended waits for the master to have heard of it.
HEARD_WITHIN_S: Final = 2.0
LOOK_EVERY_S: Final = 0.05


class Part:
    """This process's part in the load: that of a worker where there is a master, all of it where there is none."""

    def __init__(self, environment: Environment, config: LoadConfig, stop: Event) -> None:
        """`stop` is set when the master says that this is the end. Raises ConnectionError if there is no master."""
        self._number = config.worker
        self._worker: WorkerRunner | None = None
        self.runner: Runner
        if config.master is None:
            self.runner = environment.create_local_runner()
            return
        host, port = config.master
        self.runner = self._worker = environment.create_worker_runner(host, port)
        self._worker.register_message(END, lambda **_: stop.set())

    def playing(self) -> None:
        self._say(PLAYING)

    def tell(self, line: Mapping[str, Json]) -> None:
        self._say(LINE, line)

    def ended(self) -> None:
        """All is written down: the master lets go."""
        self._say(ENDED)
        if self._worker is not None:
            self._worker.greenlet.join(timeout=HEARD_WITHIN_S)
        self.runner.quit()

    def _say(self, what: str, line: Mapping[str, Json] | None = None) -> None:
        if self._worker is not None:
            self._worker.send_message(what, {"worker": self._number, "line": line})


class Master:
    """What the master knows of its workers. Those that are missing, by Locust's own heartbeat, are not waited for."""

    def __init__(self, environment: Environment, config: LoadConfig) -> None:
        assert config.master is not None
        self._count = config.workers
        self._lines: dict[int, Mapping[str, Json]] = {}
        self._nodes: dict[int, str] = {}
        self._ended: set[int] = set()
        host, port = config.master
        self._runner: MasterRunner = environment.create_master_runner(host, port)
        for what in (PLAYING, LINE, ENDED):
            self._runner.register_message(what, self._hear)

    def _hear(self, msg: Any, **_: object) -> None:
        number = int(msg.data["worker"])
        match msg.type:
            case "playing":
                self._nodes[number] = msg.node_id
            case "line":
                self._lines[number] = msg.data["line"]
            case "ended":
                self._ended.add(number)

    def all_play(self) -> bool:
        return len(self._nodes) == self._count

    @property
    def line(self) -> Mapping[str, Json]:
        """One live line of all of them; empty before each has said something."""
        return together([self._lines.get(number, {}) for number in range(self._count)])

    def end(self, within_s: float) -> bool:
        """Have them write down what they have. Whether all that are still there did."""
        self._runner.send_message(END)
        with gevent.Timeout(within_s, False):
            while self._awaited():
                gevent.sleep(LOOK_EVERY_S)
        done = not self._awaited()
        if done:
            self._runner.quit()
        return done

    def _awaited(self) -> bool:
        clients = self._runner.clients
        there = {
            number
            for number, node in self._nodes.items()
            if node in clients and clients[node].state != STATE_MISSING
        }
        return not there <= self._ended
