"""The report of one run: a single page for someone who has two minutes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import jinja2

from harness.rundir import RunDir
from reports import (
    drill,
    faults,
    host,
    mails,
    reading,
    recovery,
    rehearsal,
    runbooks,
    story,
    summary,
    voice,
)
from reports.faults import Fault
from reports.host import Fact
from reports.names import Names
from reports.reading import Record
from reports.runbooks import Performance
from reports.words import Lang, Words, number
from topology.garbage import uncollected

if TYPE_CHECKING:
    from reports.figures.canvas import Picture


def write(run: RunDir, lang: Lang = "en") -> Path:
    """Write report.html and figures/ into the run directory and give the page's path.

    The page stands alone: figures and style are in it. It depends on the run directory only, so the same record gives
    the same bytes. A run that was cut short gives a shorter page, never an error.
    """
    with uncollected():
        record = reading.read(run)
        return run.write("report.html", page(record, Words(lang)))


def page(record: Record, words: Words) -> str:
    """The whole page as HTML. Writes the figures beside the record."""
    names = Names(record, words)
    done = faults.faults(record)
    ending = story.ending(record, words)
    seen = summary.summary(record, words, ending or story.unproven(done, names, words))
    statistics = drill.statistics(record)
    performed = runbooks.performances(record, names, words)
    pictures = _pictures(record, done, performed, statistics, names, words)
    scenario = record.plan.get("scenario")
    written = scenario if isinstance(scenario, dict) else {}
    return environment().get_template("run.html.j2").render(
        w=words,
        record=record,
        title=names.title(written.get("title"), story.scenario_name(record)),
        purpose=names.title(written.get("why"), ""),
        summary=seen,
        ending=ending,
        faults=story.fault_rows(record, done, names, words),
        deaths=story.deaths(record),
        pictures=pictures,
        runbooks=performed,
        debrief=rehearsal.debrief(record, names, words),
        mails=mails.view(record, words),
        drill=drill.view(statistics, words),
        voice=voice.table(record, names, words),
        host_facts=pictures.host_facts,
        lines=story.lines(record, words),
        undos=story.undo_lines(record),
        gaps=record.gaps,
        reproduction=story.reproduction(record, words),
        plan_text=_text(record.path / "plan.yaml"),
    )  # fmt: skip


@dataclass(frozen=True)
class Pictures:
    """Every figure of the page; None where there is nothing to draw."""

    timeline: Picture
    regions: Picture | None
    recovery: Picture | None
    mails: Picture | None
    responses: Picture | None
    voice: Picture | None
    host: Picture
    host_facts: list[Fact]


def _pictures(
    record: Record,
    done: list[Fault],
    performed: list[Performance],
    statistics: drill.Statistics | None,
    names: Names,
    words: Words,
) -> Pictures:
    # Drawing takes matplotlib, which takes a second to load: whoever only imports this module does not wait for it.
    from reports.figures import host as host_figure
    from reports.figures import mails as mails_figure
    from reports.figures import recovery as recovery_figure
    from reports.figures import regions as regions_figure
    from reports.figures import responses as responses_figure
    from reports.figures import timeline
    from reports.figures import voice as voice_figure

    folder = record.path / "figures"
    data = timeline.measured(record)
    time = timeline.scale_of(record, data)
    carriers = list(record.topology.carriers) if record.topology else []
    bars = recovery.recoveries(record, time.until_s, carriers)
    titles = {fault.id: names.fault(fault) for fault in done}
    titles |= {one.id: one.title for one in performed}
    restricted = voice.carriers(record)
    waiting = mails.waiting(record)
    answered = statistics is not None and statistics.minutes.size > 0
    return Pictures(
        timeline=timeline.draw(record, data, done, names, words, folder),
        regions=regions_figure.draw(record, done, performed, time, names, words, folder)
        if len(record.regions) > 1
        else None,
        recovery=recovery_figure.draw(bars, names, titles, words, folder) if bars else None,
        mails=mails_figure.draw(waiting, done, time, words, folder) if waiting else None,
        responses=responses_figure.draw(statistics, words, folder) if statistics and answered else None,
        voice=voice_figure.draw(restricted, names, words, folder) if restricted else None,
        host=host_figure.draw(record, data.probes, done, time, words, folder),
        host_facts=host.facts(record, data.probes, words),
    )


@cache
def environment() -> jinja2.Environment:
    """The templates of every page."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("reports"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["n"] = number
    return environment


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
