"""What somebody who rehearses sees: the steps with their hold points, and how the service is doing at this moment."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from harness.checks.runbook import FIRST_NOTICE_WITHIN_S
from harness.live import capabilities, number
from harness.runbook.model import Step
from harness.runbook.rehearsal import Rehearsal, State
from harness.rundir import Json

NOTICE: Final = "notice"
HOLD: Final = "HOLD"
STYLES: Final[Mapping[State, str]] = {
    State.WAITING: "", State.UNDER_WAY: "yellow", State.PROVEN: "green", State.FAILED: "red",
}  # fmt: skip
MARKS: Final[Mapping[State, str]] = {
    State.WAITING: " ", State.UNDER_WAY: "…", State.PROVEN: "+", State.FAILED: "x",
}  # fmt: skip
#: A hold point, by how far its step has come: nobody who looks may miss it.
HOLD_STYLES: Final[Mapping[State, str]] = {
    State.WAITING: "bold white on red", State.UNDER_WAY: "bold black on yellow", State.PROVEN: "bold white on green",
    State.FAILED: "bold white on red",
}  # fmt: skip


@dataclass(frozen=True)
class Moment:
    """How things are: `at_s` real seconds of a timeline of `ends_s`, whose faults begin at `faults_s`; `scale` drill
    seconds to a real one; what load and probes said last.
    """

    at_s: float = 0.0
    ends_s: float = 0.0
    scale: float = 1.0
    faults_s: tuple[float, ...] = ()
    load: Mapping[str, Json] = field(default_factory=dict)
    probes: Mapping[str, Json] = field(default_factory=dict)

    @property
    def since_drill_s(self) -> float | None:
        """Drill seconds since the first fault; None before it."""
        begun = [at_s for at_s in self.faults_s if at_s <= self.at_s]
        return (self.at_s - min(begun)) * self.scale if begun else None


def steps(rehearsal: Rehearsal) -> Table:
    """Every step: its number, who does it, how long it may take, how far it is."""
    table = Table("", "step", "", "who", "within", "", box=None, pad_edge=False)
    for place, step in enumerate(rehearsal.runbook.steps, 1):
        state = rehearsal.state(step)
        table.add_row(
            str(place),
            Text(step.name, STYLES[state]),
            hold(step, state),
            step.role.title.en if step.role else "",
            str(step.within),
            Text(f"{step.title.en} ({state})", STYLES[state]),
        )
    return table


def hold(step: Step, state: State) -> Text:
    return Text(f" {HOLD} ", HOLD_STYLES[state]) if step.hold else Text("")


def panel(rehearsal: Rehearsal, moment: Moment) -> RenderableType:
    """The live state, a few lines that stay at the bottom of the screen."""
    parts: list[RenderableType] = [
        _clock(rehearsal, moment),
        _answers(moment.load),
        capabilities(moment.probes),
    ]
    if told := _databases(moment.probes):
        parts.append(Text(told))
    parts.append(_strip(rehearsal))
    parts += [Text(f"… {now}", "yellow", no_wrap=True, overflow="ellipsis") for now in rehearsal.now]
    return Group(*parts)


def _clock(rehearsal: Rehearsal, moment: Moment) -> Text:
    text = Text(f"{moment.at_s:.0f} of {moment.ends_s:g} s; a second is {moment.scale:g} s of drill time. ")
    since_s = moment.since_drill_s
    if since_s is None:
        return text
    text.append(f"Since the fault {since_s / 60:.0f} min of drill time; ")
    notices = [step for step in rehearsal.runbook.steps if step.command and step.command.name == NOTICE]
    if any(rehearsal.state(step) is State.PROVEN for step in notices):
        return text.append("users have been told", "green")
    left_s = FIRST_NOTICE_WITHIN_S - since_s
    if left_s < 0:
        return text.append("users should have been told by now", "bold red")
    return text.append(f"users are to be told within {left_s / 60:.0f} min", "yellow")


def _answers(load: Mapping[str, Json]) -> Text:
    return Text(
        f"answered {number(load, 'answered'):.0f}   failed tries {number(load, 'failed'):.0f}   "
        f"waiting {number(load, 'waiting'):.0f}   p95 {number(load, 'p95_ms'):.0f} ms"
    )


def _databases(probes: Mapping[str, Json]) -> str:
    """Who says to be primary, and how far the others are behind."""
    primaries, lags = probes.get("primaries"), probes.get("lag_s")
    told = []
    if isinstance(primaries, list):
        told.append(f"primary: {', '.join(map(str, primaries)) or 'nobody'}")
    if isinstance(lags, Mapping) and lags:
        behind = [
            f"{node} {lag_s:.1f} s" if isinstance(lag_s, int | float) else f"{node} unknown"
            for node, lag_s in lags.items()
        ]
        told.append(f"behind: {', '.join(behind)}")
    return "   ".join(told)


def _strip(rehearsal: Rehearsal) -> Text:
    text = Text()
    for place, step in enumerate(rehearsal.runbook.steps, 1):
        state = rehearsal.state(step)
        text.append(f"{place} {step.name}{MARKS[state]}", HOLD_STYLES[state] if step.hold else STYLES[state])
        text.append("  ")
    return text


def ansi(renderable: RenderableType, width: int) -> str:
    """As a terminal of that width shows it, without the last line's end."""
    console = Console(file=io.StringIO(), force_terminal=True, color_system="standard", width=width)
    with console.capture() as capture:
        console.print(renderable)
    return capture.get().rstrip("\n")
