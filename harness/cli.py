"""The command line: `harness COMMAND`. Every error a user can meet becomes one message and an exit status.

0 pass · 1 fail · 2 bad input · 3 unknown · 4 this machine cannot run it
"""

from __future__ import annotations

import errno
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Final

import click

from harness import output
from harness.interruption import GiveUp
from harness.runtime import CannotRun
from topology.document import BadInput, nearest

PASS, FAIL, BAD_INPUT, UNKNOWN, CANNOT_RUN = range(5)

#: Each command's module in harness.commands, loaded when it is asked for: `harness list` needs no Locust.
COMMANDS: Final = (
    "run",
    "list",
    "plan",
    "check",
    "report",
    "parity",
    "replay",
    "up",
    "status",
    "perform",
    "rehearse",
    "down",
    "stack",
    "clean",
    "doctor",
)


_ROOM: Final = "; make room: `harness clean` removes what earlier runs left"
#: What somebody can do about a file that the system refuses.
NEXT_STEPS: Final = {errno.ENOSPC: _ROOM, errno.EDQUOT: _ROOM}


class Commands(click.Group):
    def list_commands(self, context: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS and (near := nearest(name, COMMANDS)):
            raise click.UsageError(f"No such command '{name}'. Did you mean '{near}'?", context)
        if name not in COMMANDS:
            return None
        command = import_module(f"harness.commands.{name}").command
        assert isinstance(command, click.Command)
        return command


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--runs", type=click.Path(path_type=Path), default=Path("runs"), help="Where run directories are."
)
@click.pass_context
def cli(context: click.Context, runs: Path) -> None:
    """Builds a replica of a safety-confirmation service, puts it through disasters, and proves what survived."""
    context.obj = runs


def main() -> None:
    """The entry point. No traceback reaches a user; HARNESS_TRACEBACK=1 shows it to developers."""
    try:
        output.prepare()
        status = cli.main(standalone_mode=False)
        sys.stdout.flush()
        sys.exit(status if isinstance(status, int) else PASS)
    except click.exceptions.Exit as leaving:
        sys.exit(leaving.exit_code)
    except (click.Abort, KeyboardInterrupt, GiveUp):
        print("harness: interrupted", file=sys.stderr)
        # Where the interruption met a generated class, Python would end as if nobody had caught it.
        os._exit(UNKNOWN)
    except click.ClickException as error:
        error.show()
        sys.exit(BAD_INPUT)
    except Exception as error:
        message, status = trouble(error)
        if status == UNKNOWN and os.environ.get("HARNESS_TRACEBACK"):
            raise
        _end(message, status)


def trouble(error: Exception) -> tuple[str, int]:
    """What a user is told of an error, and the exit status."""
    match error:
        case BadInput():
            return str(error), BAD_INPUT
        case CannotRun():
            return str(error), CANNOT_RUN
        case OSError():
            next_step = NEXT_STEPS.get(error.errno or 0, "") if error.filename else ""
            return f"{error.filename or 'the system'}: {error.strerror or error}{next_step}", CANNOT_RUN
        case MemoryError():
            return "there is not enough memory for this", CANNOT_RUN
    what = f"{type(error).__name__}: {error}"
    return f"an error of the harness itself: {what} (HARNESS_TRACEBACK=1 shows where)", UNKNOWN


def _end(message: str, status: int) -> None:
    print(f"harness: {message}", file=sys.stderr)
    output.drop()
    sys.exit(status)
