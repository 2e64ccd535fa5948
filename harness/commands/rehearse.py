"""`harness rehearse RUNBOOK --scenario S`"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import click

from harness.commands import user
from harness.commands.playing import Manner, again_inside, play
from harness.commands.wanted import Wanted, options
from harness.runtime import choice

if TYPE_CHECKING:
    from harness.plan import Plan
    from harness.rehearsing import Wish
    from harness.terminal.prompt import Terminal

PATIENCE: Final = "5min"


@click.command("rehearse")
@click.argument("runbook")
@click.option("--scenario", required=True, help="What happens meanwhile: a scenario's name or its file.")
@click.option("--auto", is_flag=True, help="The harness follows the runbook by itself.")
@click.option(
    "--param",
    "parameters",
    multiple=True,
    metavar="NAME=VALUE",
    help="A parameter of the runbook; else what the scenario's own timeline gives it.",
)
@click.option(
    "--who", multiple=True, metavar="ROLE=NAME", help="Who has a role of the runbook; else whoever sits here."
)
@click.option(
    "--patience",
    default=PATIENCE,
    show_default=True,
    help="Without a key for so long nobody sits here any more.",
)
@options
@click.option(
    "--runtime", type=click.Choice(choice.NAMES), default=choice.LOCAL, help="Where the nodes live."
)
@click.option("--json", "as_json", is_flag=True, help="Print verdict.json instead of the debrief.")
@click.option("--lang", type=click.Choice(["ja", "en"]), default="en", help="The report's language.")
@click.option("--keep", is_flag=True, help="Keep the nodes' volumes for a look at them.")
@click.pass_obj
def command(
    runs: Path,
    runbook: str,
    scenario: str,
    auto: bool,
    parameters: tuple[str, ...],
    who: tuple[str, ...],
    patience: str,
    seed: int,
    topology: Path | None,
    defects: tuple[str, ...],
    settings: tuple[str, ...],
    runtime: str,
    as_json: bool,
    lang: Literal["ja", "en"],
    keep: bool,
) -> int:
    """Rehearse a runbook while a scenario's faults really happen.

    RUNBOOK is a name in scenarios/runbooks or a file. You choose its steps in this terminal, the clock runs, and
    nothing is refused: a hold point that you skip is recorded. In the end you are told what it cost.
    """
    from harness.runtime import house

    wanted = Wanted(scenario, seed, topology, defects, settings, _wish(runbook, parameters, auto))
    manner = Manner(runtime, runs, as_json, lang, keep)
    patience_s = _patience(patience)
    if house.inside():
        terminal = None if auto else partial(_terminal, who=who, patience_s=patience_s)
        return play(wanted, manner, terminal).status
    plan, stands = wanted.plan()
    _roles(plan, who)
    if not auto:
        _need_a_terminal()
    choice.ready(runtime, stands)
    return again_inside()


def _wish(runbook: str, settings: tuple[str, ...], auto: bool) -> Wish:
    """Raises BadInput."""
    from harness import library
    from harness.rehearsing import Wish
    from harness.runbook import parameters, reading
    from topology.document import Scalar

    name, beside = library.runbook(runbook)
    known = reading.written(reading.SUPPLIED, *([beside] if beside else []))
    return Wish(Scalar(name, name, library.COMMAND_LINE), parameters.told(settings, "--param"), known, auto)


def _patience(text: str) -> float:
    """In seconds. Raises BadInput."""
    from harness.duration import Duration, NotADuration
    from topology.document import BadInput, Place, quoted

    place = Place(f"--patience {text}")
    try:
        patience = Duration.parse(text)
    except NotADuration as error:
        raise BadInput(place, quoted(text), error.expected, error.nearest) from None
    if not patience.ms:
        raise BadInput(place, quoted(text), "a duration above 0s")
    return patience.s


def _roles(plan: Plan, who: tuple[str, ...]) -> Mapping[str, str]:
    """Who has which role of the runbook. Raises BadInput."""
    from topology.document import BadInput, Place, Scalar, one_of, quoted

    assert plan.rehearsal is not None
    known = sorted({step.role.name for step in plan.rehearsal.runbook.steps if step.role})
    found: dict[str, str] = {}
    for each in who:
        role, equals, name = each.partition("=")
        place = Place(f"--who {each}")
        if not equals or not name.strip():
            raise BadInput(place, quoted(each), f"ROLE=NAME, with a role of the runbook: {one_of(known)}")
        found[Scalar(role, role, place).as_word(known)] = name.strip()
    return found


def _terminal(plan: Plan, who: tuple[str, ...], patience_s: float) -> Terminal:
    from harness.terminal.prompt import Terminal

    faults_s = tuple(fault.at_s for fault in plan.faults)
    return Terminal(plan.drill.clock, faults_s, _roles(plan, who), user.name(), patience_s)


def _need_a_terminal() -> None:
    """Raises BadInput where nobody can sit."""
    from harness.library import COMMAND_LINE
    from topology.document import BadInput

    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise BadInput(
            COMMAND_LINE,
            "no terminal",
            "a person at one, or --auto: the harness follows the runbook by itself",
        )
