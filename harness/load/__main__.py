"""`python -m harness.load CONFIG.json`: plays the people of the drill until SIGTERM. See `config.LoadConfig`.

Locust runs them: each arrival is a user of its own in the runner's group. Where one process is not enough, this is one
of several of Locust's workers, and plays those people who are its own (`worker` of `workers`); see `workers`.
"""

from __future__ import annotations

import contextlib
import json
import resource
import signal
import sys
import time
from pathlib import Path
from typing import Final

import gevent
from gevent.event import Event
from locust.env import Environment

from harness.load import names
from harness.load.arrivals import Arrivals
from harness.load.citizen import Citizen
from harness.load.config import LoadConfig
from harness.load.curves import CURVES
from harness.load.handsets import listen
from harness.load.network import RADIO
from harness.load.residents import Errand, settle
from harness.load.tally import Tally
from harness.load.town import Town
from harness.load.workers import Part
from harness.rundir.history import FLUSH_EVERY_S, MAIL_SCHEMA, Opened, Operation, Rows, Writer

_ENDS_WITHIN_S: Final = 3.0


def main() -> int:
    config = LoadConfig.from_json(Path(sys.argv[1]).read_text())
    stop = Event()
    gevent.signal_handler(signal.SIGTERM, stop.set)
    gevent.signal_handler(signal.SIGINT, stop.set)
    _allow_many_sockets()
    entrances = {entrance.name for access in config.access for entrance in access.entrances}
    entrances |= {block.name for access in config.access for block in access.blocks}
    vantages = [access.carrier for access in config.access]
    history = Writer(
        config.history / f"load-{config.worker}.arrow",
        vantages=vantages,
        endpoints=[*sorted(entrances), names.ENDPOINT, RADIO],
    )
    if config.opened_file:
        config.opened_file.parent.mkdir(exist_ok=True)
    opened = Rows(config.opened_file, MAIL_SCHEMA) if config.opened_file else None
    environment = Environment(user_classes=[Citizen])
    part = Part(environment, config, stop)
    try:
        _play(config, environment, part, history, opened, stop)
    finally:
        history.close()
        if opened is not None:
            opened.close()
    part.ended()
    # Whoever ends cannot be asked to: that would look like a violent end.
    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM, signal.SIGINT))
    return 0


def _play(
    config: LoadConfig,
    environment: Environment,
    part: Part,
    history: Writer,
    opened: Rows | None,
    stop: Event,
) -> None:
    users, tally = part.runner.user_greenlets, Tally()

    def record(operation: Operation) -> None:
        history.add(operation)
        environment.events.request.fire(  # type: ignore[no-untyped-call]
            request_type=operation.kind,
            name=operation.vantage,
            response_time=(operation.completed_ns - operation.intended_ns) / 1e6,
            response_length=0,
            exception=None if operation.outcome == "ok" else operation.detail,
        )

    def note(mail: Opened) -> None:
        if opened is not None:
            opened.add(mail.row())

    def go(errand: Errand) -> None:
        # Not by the runner's own spawning: that counts all running users first, for each one that it adds.
        if town.wanted(errand):
            Citizen(environment, town, errand).start(users)

    arrivals = Arrivals(go)
    people = settle(config, CURVES[config.curve])
    town = Town(config, people, tally, record, arrivals.add, note)
    others = [
        gevent.spawn(arrivals.run),
        *(gevent.spawn(listen, access.mail, town.notice) for access in config.access),
        *(gevent.spawn(listen, mail, town.notice) for host in config.hosted for mail in host.mailboxes),
        *(
            gevent.spawn(town.attaching.follow, access)
            for access in config.access
            if access.network is not None
        ),
        *(
            gevent.spawn(town.attaching.stay, one)
            for one in people.values()
            if one.access.network is not None
        ),
    ]
    if town.air is not None:
        others.append(gevent.spawn(town.air.follow))
    print("ready", flush=True)
    part.playing()
    try:
        _report(tally, history, opened, config.live_every_s, part, stop)
    finally:
        gevent.killall(others, timeout=_ENDS_WITHIN_S)
        # Nobody sets out any more; who is under way comes home, and who does not is written down as nobody knows what.
        users.join(timeout=_ENDS_WITHIN_S)
        users.kill(timeout=_ENDS_WITHIN_S)


def _report(
    tally: Tally, history: Writer, opened: Rows | None, live_every_s: float, part: Part, stop: Event
) -> None:
    """Flush ten times a second and print a live line as often as asked for, until told to stop."""
    due_s = time.monotonic() + live_every_s
    while not stop.wait(FLUSH_EVERY_S):
        history.flush()
        if opened is not None:
            opened.flush()
        if time.monotonic() < due_s:
            continue
        due_s += live_every_s
        line = tally.line(time.monotonic_ns()) | (
            {"trouble": str(history.trouble)} if history.trouble else {}
        )
        part.tell(line)
        with contextlib.suppress(BrokenPipeError):  # nobody watches any more; what is recorded counts
            print(json.dumps(line), flush=True)


def _allow_many_sockets() -> None:
    """In an outage every arrival holds a socket for as long as a person waits."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


if __name__ == "__main__":
    sys.exit(main())
