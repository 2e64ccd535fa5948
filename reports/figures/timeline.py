"""The picture of a run: everything that was measured over one time axis, the faults through all of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from reports import runbooks, series
from reports.faults import Fault, publications
from reports.figures import canvas, curves, lanes, strips
from reports.figures.scale import TimeScale
from reports.figures.stack import Panel, Stack
from reports.names import Names
from reports.reading import Record
from reports.series import Operations
from reports.words import Words

_STRIP_IN = 0.155
#: The status of a telegram that is neither training nor a test; only the others need saying.
NORMAL = "通常"


@dataclass(frozen=True)
class Measured:
    """The operations of a run, read once for all figures."""

    load: Operations
    probes: Operations


def measured(record: Record) -> Measured:
    return Measured(series.operations(record, record.load), series.operations(record, record.probes))


def scale_of(record: Record, data: Measured) -> TimeScale:
    """From a little before the timeline to the last thing that was measured or, failing that, recorded."""
    stamps = [record.seconds(event.at_ns) for event in record.events if not event.kind.startswith("node.")]
    ends = [
        float(np.nanmax(times)) for times in (data.load.completed_s, data.probes.completed_s) if times.size
    ]
    starts = [
        float(np.nanmin(times)) for times in (data.load.intended_s, data.probes.intended_s) if times.size
    ]
    if not record.began:
        return TimeScale(min([0.0, *starts]), max([1.0, *ends, *stamps]), record.scale, began=False)
    last = max([1.0, *ends, *[at_s for at_s in stamps if at_s > 0 and not ends]])
    return TimeScale(max(min([0.0, *starts]), -10.0), last, record.scale)


def draw(
    record: Record, data: Measured, faults: Sequence[Fault], names: Names, words: Words, folder: Path
) -> canvas.Picture:
    """Write the picture into `folder`."""
    time = scale_of(record, data)
    with canvas.style():
        figure = compose(record, data, faults, names, words, time)
        alt = words("alt.timeline", faults=len(faults), seconds=round(time.until_s - time.from_s))
        return canvas.finish(figure, folder, "timeline", alt, png=True)


def compose(
    record: Record, data: Measured, faults: Sequence[Fault], names: Names, words: Words, time: TimeScale
) -> Figure:
    """All panels on one sheet, as high as they need."""
    probe = canvas.sheet(1)
    items = lanes.arrange(
        probe, time, faults, [names.fault(fault) for fault in faults], _marks(record, names, words, time)
    )
    stack = Stack(
        items,
        _panels(record, data, names, words, time),
        top_in=0.42,
        lane_in=lanes.rows(items) * lanes.ROW_IN,
    )
    figure = canvas.sheet(stack.height_in)
    stack.draw(figure, faults, time, words)
    return figure


def _marks(record: Record, names: Names, words: Words, time: TimeScale) -> list[lanes.Mark]:
    """Telegrams, runbooks, and nodes that died by themselves, as far as the picture reaches."""
    marks = lanes.performed(runbooks.performances(record, names, words), words)
    for told in publications(record):
        status = "" if told.status == NORMAL else told.status
        text = words("mark.telegram", what=told.what, info=told.info, status=status).strip()
        marks.append(lanes.Mark(told.at_s, text))
    for event in record.events:
        if event.kind == "node.died":
            marks.append(
                lanes.Mark(record.seconds(event.at_ns), words("mark.died", node=event.data.get("node")))
            )
    return [mark for mark in marks if mark.text and time.from_s <= mark.at_s <= time.until_s]


def _panels(record: Record, data: Measured, names: Names, words: Words, time: TimeScale) -> list[Panel]:
    lines = capability_strips(data.probes, names, words, time)
    nodes = series.databases(record) if record.databases.num_rows else []
    mails = series.backlog(record, time.span)
    answers = data.load.where(data.load.kind == "answer")
    tries = series.tries(data.load)

    def throughput(axes: Axes) -> None:
        if not tries.outcome.size:
            return canvas.note(axes, words("none.load"))
        return curves.throughput(axes, series.rates(tries, time.span), words)

    def latency(axes: Axes) -> None:
        if not (answers.outcome == "ok").any():
            return canvas.note(axes, words("none.latency"))
        return curves.latency(axes, series.latencies(answers, time.span), words)

    def capabilities(axes: Axes) -> None:
        if not lines:
            return canvas.note(axes, words("none.probes"))
        canvas.legend(axes, strips.key(strips.CAPABILITY_LOOKS, words, "state"))
        return strips.draw(axes, lines, strips.CAPABILITY_LOOKS, time)

    def databases(axes: Axes) -> None:
        if not nodes:
            return canvas.note(axes, words("none.databases"))
        held = Line2D([], [], color=canvas.INK, lw=1.3, label=words("database.leads"))
        canvas.legend(axes, [*strips.key(strips.DATABASE_LOOKS, words, "database"), held])
        return strips.draw_databases(axes, nodes, time, words)

    def backlog(axes: Axes) -> None:
        if mails.empty:
            return canvas.note(axes, words("none.mail"))
        return curves.backlog(axes, mails, words)

    return [
        Panel(words("panel.throughput"), 1.15, throughput),
        Panel(words("panel.latency"), 1.05, latency),
        Panel(words("panel.capabilities"), max(_STRIP_IN * len(lines), 0.4), capabilities),
        Panel(words("panel.databases"), max(0.26 * len(nodes), 0.4), databases),
        Panel(words("panel.mail"), 0.95, backlog),
    ]


def capability_strips(probes: Operations, names: Names, words: Words, time: TimeScale) -> list[strips.Strip]:
    """One for each capability and carrier that was probed, in the order in which reports tell them."""
    found = []
    seen = set(zip(probes.kind.tolist(), probes.vantage.tolist(), strict=True))
    order = [*series.CAPABILITIES, *sorted({kind for kind, _ in seen} - set(series.CAPABILITIES))]
    for kind in order:
        for vantage in names.ordered({vantage for other, vantage in seen if other == kind}):
            spans = series.capability(probes, kind, vantage, time.span)
            group = words.known(f"capability.{kind}", canvas.plain(kind))
            found.append(strips.Strip(group, names.carrier(vantage), spans))
    return found
