"""`harness perform RUNBOOK`"""

from __future__ import annotations

import json
import signal
import socket
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Final

import click

from harness.cli import FAIL, PASS, UNKNOWN
from harness.commands import user

ENDS: Final = {"proven": PASS, "failed": FAIL, "interrupted": UNKNOWN, "unknown": UNKNOWN}


@click.command("perform")
@click.argument("runbook")
@click.option(
    "--set", "settings", multiple=True, metavar="NAME=VALUE", help="A parameter of it: from=singapore."
)
@click.option(
    "--from", "first", default=None, metavar="STEP", help="The step to begin with; else where it stopped."
)
@click.option(
    "--again", is_flag=True, help="From its first step, also if it stopped somewhere the last time."
)
@click.pass_obj
def command(runs: Path, runbook: str, settings: tuple[str, ...], first: str | None, again: bool) -> int:
    """Perform a runbook on what `harness up` keeps standing; one that stopped goes on where it did.

    RUNBOOK is a name in scenarios/runbooks or a file. Ctrl-C stops it between two steps.
    """
    from harness import library, standing
    from harness.runbook import desk, reading
    from harness.runtime import CannotRun
    from topology.document import Scalar

    name, beside = library.runbook(runbook)
    folder = beside or runs.resolve() / "runbooks"
    # The replica looks again, but whoever misspelt it need not bring one up to be told.
    reading.named(Scalar(name, name, library.COMMAND_LINE), reading.written(reading.SUPPLIED, folder))
    request = desk.Request(name, str(folder), settings, first, again, user.name())
    if (state := standing.read(runs)) is None:
        raise CannotRun("nothing is up to perform it on; `harness up` brings every node up")
    if not state.since:
        raise CannotRun("the nodes to perform it on are still coming up; `harness status` says when they are")
    try:
        connection = desk.ask(runs, request)
    except OSError as error:
        raise CannotRun(f"the replica takes no requests ({error.strerror}); see {runs / 'up.log'}") from None
    with connection:
        return _follow(connection)


def _follow(connection: socket.socket) -> int:
    """Show what is said, until it ends. The first Ctrl-C asks it to stop; the second leaves it alone."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        click.echo("asked to stop: it will, between two steps", err=True)
        with suppress(OSError):
            connection.sendall(b"stop\n")

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with connection.makefile("r", encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                if "say" in row:
                    click.echo(row["say"])
                elif "end" in row:
                    return ENDS[row["end"]]
                else:
                    return _refused(row["refused"], row["why"])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    click.echo("harness: the replica ended meanwhile; `harness status` tells how far it came", err=True)
    return UNKNOWN


def _refused(what: str, why: str) -> int:
    from harness.cli import BAD_INPUT, CANNOT_RUN

    click.echo(f"harness: {why}", err=True)
    return BAD_INPUT if what == "input" else CANNOT_RUN
