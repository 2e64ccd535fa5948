"""`harness run S…`"""

from __future__ import annotations

import os
import shutil
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import click

from harness.cli import BAD_INPUT, CANNOT_RUN, FAIL, PASS, UNKNOWN, trouble
from harness.commands.outcome import judged, status_of, told
from harness.commands.wanted import Wanted, options
from harness.runtime import choice

if TYPE_CHECKING:
    from harness.rundir import RunDir

#: With less than this on the disk, that is why nodes fail.
FULL_BYTES: Final = 64 * 2**20
#: The exit status of several runs is that of the worst; a service that failed is worse than a run that could not be.
WORSE: Final = (PASS, UNKNOWN, CANNOT_RUN, BAD_INPUT, FAIL)


@click.command("run")
@click.argument("scenarios", nargs=-1, required=True)
@options
@click.option(
    "--runtime", type=click.Choice(choice.NAMES), default=choice.LOCAL, help="Where the nodes live."
)
@click.option("--json", "as_json", is_flag=True, help="Print verdict.json instead of the summary.")
@click.option("--lang", type=click.Choice(["ja", "en"]), default="en", help="The report's language.")
@click.option("--keep", is_flag=True, help="Keep the nodes' volumes for a look at them.")
@click.pass_obj
def command(
    runs: Path,
    scenarios: tuple[str, ...],
    seed: int,
    topology: Path | None,
    defects: tuple[str, ...],
    settings: tuple[str, ...],
    runtime: str,
    as_json: bool,
    lang: Literal["ja", "en"],
    keep: bool,
) -> int:
    """Run scenarios, judge each, and write its report."""
    from harness.runtime import house

    wanted = [Wanted(name, seed, topology, defects, settings) for name in scenarios]
    if not house.inside():
        for each in wanted:
            choice.ready(runtime, each.plan()[1])  # what is wrong is told before anything starts
        status = house.enter([sys.executable, "-m", "harness", *sys.argv[1:]], listens=True)
        return status if status in (PASS, FAIL, BAD_INPUT, UNKNOWN, CANNOT_RUN) else UNKNOWN
    statuses = []
    for each in wanted:
        status, interrupted = _run(each, runtime, runs, as_json, lang, keep)
        statuses.append(status)
        if interrupted:
            break
    return max(statuses, key=WORSE.index)


def _run(
    wanted: Wanted, runtime_name: str, runs: Path, as_json: bool, lang: Literal["ja", "en"], keep: bool
) -> tuple[int, bool]:
    """One scenario: its exit status, and whether somebody interrupted.

    An error ends this run alone: it is told, and what was recorded is judged and reported like any other.
    """
    from harness.conductor import conduct
    from harness.faults.build import refuse_what_is_missing
    from harness.interruption import GiveUp, Interruption
    from harness.live import LiveShow, PlainShow
    from harness.mishaps import why
    from harness.rundir import RunDir
    from harness.runtime import house
    from harness.sweeping import drop_volumes

    try:
        plan, topology = wanted.plan()
        runtime = choice.make(runtime_name)
        refuse_what_is_missing(plan.timeline, runtime)
        run = RunDir.create(runs, plan.scenario, plan.seed)
    except Exception as error:
        return _told(error), False
    click.echo(f"{plan.title.en} ({plan.scenario}), seed {plan.seed}: {run.path}", err=True)
    marks = [(entry.at_s, f"{entry.verb} {entry.target}") for entry in plan.timeline]
    show = LiveShow(plan.title.en, marks) if sys.stderr.isatty() else PlainShow()
    broke = PASS
    with run.held():
        with show, Interruption() as interruption:
            try:
                house.listen()
                conduct(plan, topology, runtime, run, show, interruption)
            except GiveUp:
                run.record("run.interrupted", why="twice")
            except Exception as error:
                run.record("run.failed", why=why(error))
                _tell_if_full(run.path)
                broke = _told(error)
        if not keep:
            drop_volumes(run.path)
        run.flush()
    status = _judged(run, as_json, lang)
    return max(status, broke, key=WORSE.index), interruption.asked.is_set()


def _judged(run: RunDir, as_json: bool, lang: Literal["ja", "en"]) -> int:
    """Judge and report what is recorded. The exit status of the verdict; of a report that breaks, at best unknown."""
    from reports.run import write

    try:
        judgement = judged(run)
        told(judgement, as_json)
    except Exception as error:
        return _told(error)
    status = status_of(judgement)
    try:
        click.echo(f"report: {write(run, lang)}", err=True)
    except OSError as error:
        click.echo(f"harness: no report: {error.filename}: {error.strerror}", err=True)
    except Exception as error:
        return max(status, _told(error), key=WORSE.index)
    return status


def _told(error: Exception) -> int:
    """Tell an error as the command line does. Its exit status."""
    message, status = trouble(error)
    click.echo(f"harness: {message}", err=True)
    if status == UNKNOWN and os.environ.get("HARNESS_TRACEBACK"):
        traceback.print_exception(error)
    return status


def _tell_if_full(run: Path) -> None:
    free = shutil.disk_usage(run).free
    if free < FULL_BYTES:
        click.echo(f"harness: the disk is nearly full: {free / 2**20:.0f} MiB free at {run}", err=True)
