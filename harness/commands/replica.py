"""The options of commands that take a replica without a scenario: which defects, how fast, how much of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any, Final

import click

_OPTIONS: Final = (
    click.option(
        "--with", "defects", multiple=True, help="A Compose override: a name in scenarios/defects or a path."
    ),
    click.option(
        "--clock",
        type=click.FloatRange(min=0, min_open=True),
        default=1.0,
        help="Drill seconds to a real one.",
    ),
    click.option(
        "--region", "regions", multiple=True, help="A region of the service, one or more; all if none."
    ),
    click.option(
        "--system", "systems", multiple=True, help="A system of the world that stands only where asked for."
    ),
)


def options(command: Callable[..., Any]) -> Callable[..., Any]:
    """`defects`, `clock`, `regions` and `systems`."""
    return reduce(lambda made, option: option(made), reversed(_OPTIONS), command)


def hold(clock: float) -> None:
    """Raises BadInput for a clock that nothing can be seen on."""
    from harness import limits
    from topology.document import Place, Scalar

    limits.CLOCK.hold(Scalar(f"{clock:g}", clock, Place("--clock")), clock)
