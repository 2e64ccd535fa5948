"""Runs of the same scenarios in several runtimes, side by side: one table.

The verdict must be the same; how long things took may differ, and is shown. What was not played alike is not compared.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from harness.rundir import Json, RunDir
from harness.rundir.verdict import Verdict
from reports.run import environment
from reports.words import Lang, Words

CAPABILITIES: Final = ("write", "read", "login", "feed", "delivery")
#: What of a plan makes two runs the same play. What is expected of it may differ from runtime to runtime.
PLAYED: Final = ("regions", "seed", "drill", "ends_s", "overrides")


class Agreement(StrEnum):
    """`ALONE`: played in one runtime only. `UNLIKE`: not the same play, so nothing can be said."""

    SAME = "same"
    DIFFERS = "differs"
    ALONE = "alone"
    UNLIKE = "unlike"


@dataclass(frozen=True)
class Told:
    """What one run says. `rto_s` by capability; None: it never came back. `play`: what was played, to be compared."""

    run: str
    scenario: str
    runtime: str
    verdict: Verdict
    rto_s: Mapping[str, float | None]
    play: str


@dataclass(frozen=True)
class Side:
    """A scenario in one runtime, over all its runs: the worst verdict, every RTO that was measured."""

    runs: tuple[str, ...]
    verdict: Verdict
    rto_s: Mapping[str, tuple[float | None, ...]]


@dataclass(frozen=True)
class Row:
    """One scenario. `sides` by runtime."""

    scenario: str
    sides: Mapping[str, Side]
    agreement: Agreement


@dataclass(frozen=True)
class Parity:
    """The whole table. `runtimes` in the order of the columns: local first."""

    runtimes: tuple[str, ...]
    rows: tuple[Row, ...]

    @property
    def runs(self) -> int:
        return sum(len(side.runs) for row in self.rows for side in row.sides.values())

    @property
    def verdict(self) -> Verdict:
        """Fail where verdicts differ; unknown where a scenario could not be compared, or there is none."""
        said = {Agreement.SAME: Verdict.PASS, Agreement.DIFFERS: Verdict.FAIL}
        return Verdict.worst(said.get(row.agreement, Verdict.UNKNOWN) for row in self.rows)


def read(run: RunDir) -> Told | None:
    """None for a run that has not been judged, or whose plan cannot be read."""
    try:
        judged = json.loads((run.path / "verdict.json").read_text(encoding="utf-8"))
        measured = judged["checks"]["recovery"]["measured"]
        return Told(
            run=run.name,
            scenario=judged["scenario"],
            runtime=judged["runtime"],
            verdict=Verdict(judged["verdict"]),
            rto_s={
                name: measured.get(f"{name}_rto_s") for name in CAPABILITIES if f"{name}_rto_s" in measured
            },
            play=_play(run.plan),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _play(plan: Mapping[str, Json]) -> str:
    timeline = plan["timeline"]
    steps = [
        {key: step.get(key) for key in ("at_s", "verb", "target")}
        for step in (timeline if isinstance(timeline, list) else [])
        if isinstance(step, dict)
    ]
    return json.dumps([steps, *(plan.get(key) for key in PLAYED)], sort_keys=True, ensure_ascii=False)


def compare(told: Iterable[Told]) -> Parity:
    """One row for each scenario, in the order of their names."""
    runs = list(told)
    runtimes = sorted({each.runtime for each in runs}, key=lambda name: (name != "local", name))
    by_scenario = {
        name: [each for each in runs if each.scenario == name] for name in {r.scenario for r in runs}
    }
    rows = tuple(_row(name, by_scenario[name], runtimes) for name in sorted(by_scenario))
    return Parity(tuple(runtimes), rows)


def _row(scenario: str, runs: Sequence[Told], runtimes: Sequence[str]) -> Row:
    by_runtime = {name: [each for each in runs if each.runtime == name] for name in runtimes}
    sides = {name: _side(own) for name, own in by_runtime.items() if own}
    if len({each.play for each in runs}) > 1:
        return Row(scenario, sides, Agreement.UNLIKE)
    if len(sides) < 2:
        return Row(scenario, sides, Agreement.ALONE)
    alike = len({side.verdict for side in sides.values()}) == 1
    return Row(scenario, sides, Agreement.SAME if alike else Agreement.DIFFERS)


def _side(runs: Sequence[Told]) -> Side:
    names = [name for name in CAPABILITIES if any(name in each.rto_s for each in runs)]
    return Side(
        tuple(each.run for each in runs),
        Verdict.worst(each.verdict for each in runs),
        {name: tuple(each.rto_s[name] for each in runs if name in each.rto_s) for name in names},
    )


def seconds(words: Words, side: Side | None, capability: str) -> str:
    """What was measured, or from the least to the most of several runs; a dash where nothing was."""
    values = side.rto_s.get(capability, ()) if side is not None else ()
    if not values:
        return words("value.none")
    if None in values:
        return words("parity.never")
    known = sorted(value for value in values if value is not None)
    least, most = (words.value(f"{capability}_rto_s", value) for value in (known[0], known[-1]))
    return least if least == most else words("parity.range", least=least, most=most)


def page(parity: Parity, lang: Lang = "en") -> str:
    """The table as a page that stands alone."""
    words = Words(lang)
    template = environment().get_template("parity.html.j2")
    return template.render(w=words, parity=parity, capabilities=CAPABILITIES, seconds=seconds)


def lines(parity: Parity, lang: Lang = "en") -> list[str]:
    """The same for a terminal: a scenario in a block, a runtime in a line."""
    words = Words(lang)
    told = []
    for row in parity.rows:
        told.append(f"{row.scenario}: {words(f'agreement.{row.agreement}')}")
        for name in parity.runtimes:
            if side := row.sides.get(name):
                rtos = [f"{words(f'capability.{each}')} {seconds(words, side, each)}" for each in side.rto_s]
                told.append(f"  {name:<7} {words(f'verdict.{side.verdict}'):<8} {', '.join(rtos)}")
    return told
