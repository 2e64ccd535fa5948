"""`python -m harness.probes CONFIG.json`: synthetic users at every carrier, until SIGTERM."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import uvloop

from harness.load import names
from harness.probes import precedence
from harness.probes.attach import Attach, Steering
from harness.probes.board import Board, Probe
from harness.probes.config import ProbeConfig
from harness.probes.databases import Beats, Database
from harness.probes.directory import Directory
from harness.probes.feed import VANTAGE, Feed
from harness.probes.leader import Leader
from harness.probes.mail import Mail, Submission
from harness.probes.pages import Read, Registers, SignIn, Write
from harness.probes.replication import Follower
from harness.rundir.history import DATABASE_SCHEMA, FLUSH_EVERY_S, REPLICATION_SCHEMA, Rows, Writer

#: How often a majority is to confirm what was heard of the leader: a round of all members, dearer than any other look.
_LEADER_EVERY_S: Final = 1.0


async def watch(config: ProbeConfig) -> None:
    """Probe until SIGTERM or SIGINT; then write down what is known."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    doors = [*config.feed_apis, *config.mail_providers]
    entrances = [entrance.name for access in config.access for entrance in access.entrances]
    blocks = [block.name for access in config.access for block in access.blocks]
    history = Writer(
        config.folder / "probes" / "probes.arrow",
        vantages=[*(access.carrier for access in config.access), VANTAGE, *blocks],
        endpoints=["", names.ENDPOINT, *dict.fromkeys([*entrances, *blocks, *(door.name for door in doors)])],
    )
    databases = Rows(config.folder / "databases.arrow", DATABASE_SCHEMA)
    replication = Rows(config.folder / "replication.arrow", REPLICATION_SCHEMA)
    followers = list(_followers(config, replication, beats := Beats()))
    board = Board(history)
    probes = list(_probes(config))
    roles: dict[str, str] = {}

    def noted(row: tuple[object, ...]) -> None:
        _, node, role, *_ = row
        roles[str(node)] = str(role)
        databases.add(row)

    watches = [*_beside(config, probes, noted, beats), *(follower.watch() for follower in followers)]
    beside = [asyncio.ensure_future(task) for task in watches]
    try:
        _schedule(board, config, probes)
        print("ready", flush=True)
        await _report(board, history, [databases, replication], followers, roles, config.live_every_s, stop)
    finally:
        await board.stop()
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        history.close()
        databases.close()
        replication.close()


def _probes(config: ProbeConfig) -> Iterator[Probe]:
    """Every capability at every vantage, numbered as the history's processes."""
    process = 0
    submission = Submission(config.mail_providers, config.host)
    for access in config.access:
        registers, directory = Registers(config.people[access.carrier]), Directory(access, config.host)
        yield Read(process, directory, registers, config.host)
        yield Mail(process + 1, access, submission, config.host)
        yield Write(process + 2, directory, registers, config.host)
        yield SignIn(process + 3, directory, config.login, config.host)
        process += 4
    yield Feed(process, config.feed_apis, config.host)
    for access in config.access:
        if access.network is not None:
            steering = Steering(access.network)
            for number in range(len(access.network.blocks)):
                process += 1
                yield Attach(process, access, steering, number, config.host)


def _schedule(board: Board, config: ProbeConfig, probes: list[Probe]) -> None:
    """All carriers together, but one capability after another: a carrier is looked at several times in a period.

    Waking up is most of what a probe costs, so that thirteen instants in a period would cost twice these five.
    """
    start_ns = time.monotonic_ns()
    asked = [probe for probe in probes if config.rates.get(probe.capability, 0.0) > 0]
    capabilities = list(dict.fromkeys(probe.capability for probe in asked))
    for probe in asked:
        period_ns = int(1e9 / config.rates[probe.capability])
        phase = capabilities.index(probe.capability) / len(capabilities)
        board.schedule(probe, start_ns + int(period_ns * phase), period_ns)


def _beside(
    config: ProbeConfig, probes: list[Probe], add: Callable[[tuple[object, ...]], None], beats: Beats
) -> Iterator[Coroutine[None, None, None]]:
    """What goes on beside the timetable: hearing notices, watching the databases and the consensus stores."""
    for probe in probes:
        if isinstance(probe, Attach) and probe.number == 0:
            yield probe.steering.follow()
        if isinstance(probe, Mail) and config.rates.get(Mail.capability, 0.0) > 0:
            yield probe.notices.listen()
    for region in dict.fromkeys(config.regions.values()):
        members = [door for door in config.consensus if config.regions[door.name] == region]
        leader = Leader(members)
        if members:
            yield leader.watch(_LEADER_EVERY_S)
        for door in config.databases:
            if config.regions[door.name] == region:
                watched = Database(door, config.database_password, add, beats)
                yield watched.watch(partial(_holder, leader))


def _holder(leader: Leader) -> str:
    return leader.holder


def _followers(config: ProbeConfig, rows: Rows, beats: Beats) -> Iterator[Follower]:
    """One for each database, where there is more than one region: within a region nothing is ever behind."""
    if len({config.regions[door.name] for door in config.databases}) > 1:
        for door in config.databases:
            region = config.regions[door.name]
            yield Follower(door, region, config.database_password, rows.add, beats)


async def _report(
    board: Board,
    history: Writer,
    tables: Sequence[Rows],
    followers: Sequence[Follower],
    roles: Mapping[str, str],
    live_every_s: float,
    stop: asyncio.Event,
) -> None:
    """Flush ten times a second and print a live line as often as asked for, until told to stop."""
    due_s = time.monotonic() + live_every_s
    while not stop.is_set():
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FLUSH_EVERY_S):
                await stop.wait()
        history.flush()
        for table in tables:
            table.flush()
        if time.monotonic() < due_s:
            continue
        due_s += live_every_s
        troubles = [each for each in (history.trouble, *(table.trouble for table in tables)) if each]
        line = board.line(time.monotonic_ns()) | ({"trouble": str(troubles[0])} if troubles else {})
        line |= {"primaries": [node for node, role in roles.items() if role == "primary"]}
        line |= {"lag_s": {follower.node: follower.lag_s for follower in followers}} if followers else {}
        with contextlib.suppress(BrokenPipeError):  # nobody watches any more; what is recorded counts
            print(json.dumps(line), flush=True)


def main() -> int:
    config = ProbeConfig.from_json(Path(sys.argv[1]).read_text())
    precedence.take()
    uvloop.run(watch(config))
    return 0


if __name__ == "__main__":
    sys.exit(main())
