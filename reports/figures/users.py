"""The picture of an outage that is none of mail: what users could do and where, over time, one panel a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from matplotlib.figure import Figure

from reports.figures import canvas, missing, strips, timeline
from reports.figures.scale import TimeScale
from reports.figures.strips import Strip
from reports.names import Names
from reports.reading import Record
from reports.series import Span
from reports.words import Words

_HEAD_IN: Final = 0.36
_STRIP_IN: Final = 0.2
_FOOT_IN: Final = 0.5


@dataclass(frozen=True)
class Users:
    """One run: what users could do, and when something was done, all in drill hours after the first fault."""

    title: str
    lanes: Sequence[Strip]
    marks: Sequence[float] = ()

    @property
    def troubled(self) -> set[str]:
        """What could not be done at all somewhere for a while."""
        return {lane.group for lane in self.lanes if any(span.state == "down" for span in lane.spans)}

    def only(self, groups: set[str]) -> Users:
        return Users(self.title, [lane for lane in self.lanes if lane.group in groups], self.marks)


def of(title: str, record: Record, marks: Sequence[float], first_s: float, words: Words) -> Users:
    """`first_s`: when the first fault began, in real seconds since the record's origin; `marks` in drill hours."""
    data = timeline.measured(record)
    found = timeline.capability_strips(
        data.probes, Names(record, words), words, timeline.scale_of(record, data)
    )
    hours = record.scale / 3600
    return Users(
        title,
        [
            Strip(
                lane.group,
                lane.label,
                [
                    Span((span.from_s - first_s) * hours, (span.until_s - first_s) * hours, span.state)
                    for span in lane.spans
                ],
            )
            for lane in found
        ],
        marks,
    )


def draw(runs: Sequence[Users], words: Words, folder: Path) -> canvas.Picture | None:
    """Write the picture into `folder`; None where users could do everything everywhere in all runs."""
    troubled = set().union(*(run.troubled for run in runs))
    if not troubled:
        return None
    with canvas.style():
        figure = compose([run.only(troubled) for run in runs], words)
        return canvas.finish(figure, folder, "users", words("incident.alt.users"))


def compose(runs: Sequence[Users], words: Words) -> Figure:
    """The panels share the axis, so that they can be compared."""
    heights = [max(_STRIP_IN * len(run.lanes), _STRIP_IN) for run in runs]
    figure = canvas.sheet(0.15 + sum(heights) + len(runs) * _HEAD_IN + _FOOT_IN)
    spans = [span for run in runs for lane in run.lanes for span in lane.spans]
    time = TimeScale(min(span.from_s for span in spans), max(span.until_s for span in spans), 1.0)
    top_in = 0.15
    for run, height_in in zip(runs, heights, strict=True):
        axes = canvas.panel(figure, top_in + _HEAD_IN, height_in)
        time.prepare(axes, marks=run is runs[-1])
        canvas.heading(axes, run.title)
        strips.draw(axes, run.lanes, strips.CAPABILITY_LOOKS, time)
        missing.number(axes, run.marks)
        top_in += _HEAD_IN + height_in
    canvas.legend(figure.axes[0], strips.key(strips.CAPABILITY_LOOKS, words, "state"))
    time.below(figure.axes[-1], words)
    figure.axes[-1].set_xlabel(words("incident.axis.hours"), fontsize=8.5)
    return figure
