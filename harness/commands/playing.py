"""Playing one scenario from the command line: conducted, judged, reported, and what is told of it."""

from __future__ import annotations

import os
import shutil
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import click

from harness.cli import BAD_INPUT, CANNOT_RUN, FAIL, PASS, UNKNOWN, trouble
from harness.commands.outcome import judged, status_of, told
from harness.commands.wanted import Wanted
from harness.runtime import choice

if TYPE_CHECKING:
    from harness.plan import Plan
    from harness.rundir import RunDir
    from harness.terminal.prompt import Terminal

#: With less than this on the disk, that is why nodes fail.
FULL_BYTES: Final = 64 * 2**20
#: The exit status of several runs is that of the worst; a service that failed is worse than a run that could not be.
WORSE: Final = (PASS, UNKNOWN, CANNOT_RUN, BAD_INPUT, FAIL)


@dataclass(frozen=True)
class Manner:
    """How runs are played and told: in which runtime, below which folder, as what, whether volumes are kept.

    `attach`: the project that is running already. `workers`: how many processes play the people.
    """

    runtime: str
    runs: Path
    as_json: bool
    lang: Literal["ja", "en"]
    keep: bool
    attach: str = ""
    workers: int = 1


@dataclass(frozen=True)
class Played:
    """One scenario that was played: its exit status, whether somebody interrupted, its run if it came so far."""

    status: int
    interrupted: bool = False
    run: RunDir | None = None


def again_inside() -> int:
    """Start this command once more inside a house, where `play` can be called. Its exit status."""
    from harness.runtime import house

    status = house.enter([sys.executable, "-m", "harness", *sys.argv[1:]], listens=True)
    return status if status in WORSE else UNKNOWN


def play(wanted: Wanted, manner: Manner, terminal: Callable[[Plan], Terminal] | None = None) -> Played:
    """Play, judge and report one scenario. `terminal`: at which a person rehearses.

    An error ends this run alone: it is told, and what was recorded is judged and reported like any other.
    """
    from harness.conductor import conduct
    from harness.faults.build import refuse_what_is_missing
    from harness.interruption import GiveUp, Interruption
    from harness.live import watching
    from harness.mishaps import why
    from harness.rundir import RunDir
    from harness.runtime import house
    from harness.sweeping import drop_volumes

    try:
        plan, topology = wanted.plan()
        runtime = choice.make(manner.runtime, manner.attach)
        refuse_what_is_missing(plan.timeline, runtime)
        run = RunDir.create(manner.runs, plan.scenario, plan.seed)
    except Exception as error:
        return Played(_told(error))
    click.echo(f"{plan.title.en} ({plan.scenario}), seed {plan.seed}: {run.path}", err=True)
    marks = [(entry.at_s, f"{entry.verb} {entry.target}") for entry in plan.timeline]
    person = terminal(plan) if terminal is not None else None
    show = person or (watching(plan.title.en, marks))
    broke = PASS
    with run.held():
        with show, Interruption() as interruption:
            try:
                house.listen()
                conduct(plan, topology, runtime, run, show, interruption, person, manner.workers)
            except GiveUp:
                run.record("run.interrupted", why="twice")
            except Exception as error:
                run.record("run.failed", why=why(error))
                _tell_if_full(run.path)
                broke = _told(error)
        if not manner.keep:
            drop_volumes(run.path)
        run.flush()
    status = _judged(run, manner.as_json, manner.lang)
    return Played(max(status, broke, key=WORSE.index), interruption.asked.is_set(), run)


def _judged(run: RunDir, as_json: bool, lang: Literal["ja", "en"]) -> int:
    """Judge and report what is recorded. The exit status of the verdict; of a report that breaks, at best unknown."""
    from reports.run import write

    click.echo("judging what was recorded", err=True)
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
