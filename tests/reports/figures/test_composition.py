"""What a reader must be able to see: every fault drawn, every text whole and apart from every other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from harness.rundir import Event
from reports import drill, mails, recovery, runbooks
from reports.faults import Fault, faults
from reports.figures import canvas, timeline
from reports.figures import host as host_figure
from reports.figures import mails as mails_figure
from reports.figures import map as map_figure
from reports.figures import recovery as recovery_figure
from reports.figures import regions as regions_figure
from reports.figures import responses as responses_figure
from reports.names import Names
from reports.reading import Record
from reports.recovery import PARTS, Recovery, Segment
from reports.regions import Moment
from reports.words import LANGS, Lang, Words

pytestmark = pytest.mark.takes(15)

LONG = "a very long name of a place that somebody thought of in a long night " * 4
CROWD = (
    Fault("1", "lose", "singapore.a", (), 2.0, 4.0, "proven", "", True),
    Fault("2", "cut", "singapore.a | singapore.b", (), 3.0, 60.0, "proven", "", None),
    Fault("3", "hang", "balancer-a, balancer-b", (), 50.0, 50.2, "unproven", "", None),
    Fault("4", "degrade", LONG, (), 55.0, None, "proven", "", None),
    Fault("5", "遅延", "名前の長い場所 $\\alpha$ " * 9, (), 117.0, 117.5, "proven", "", None),
    Fault("6", "lose", "", (), 117.9, None, "proven", "", None),
)


@pytest.fixture(scope="module")
def data(record: Record) -> timeline.Measured:
    return timeline.measured(record)


def timeline_of(record: Record, data: timeline.Measured, done: list[Fault], lang: Lang) -> Figure:
    words = Words(lang)
    with canvas.style():
        time = timeline.scale_of(record, data)
        return timeline.compose(record, data, done, Names(record, words), words, time)


def extents(figure: Figure) -> dict[str, Bbox]:
    """Where each visible text comes out, in pixels."""
    with canvas.style():
        figure.canvas.draw()
        found = {}
        for number, text in enumerate(_texts(figure)):
            found[f"{number} {text.get_text()}"] = text.get_window_extent()
        return found


def _texts(figure: Figure) -> Iterator[Text]:
    for legend in [*figure.legends, *(axes.get_legend() for axes in figure.axes)]:
        yield from legend.get_texts() if legend else ()
    for axes in [axes for each in figure.axes for axes in (each, *each.child_axes)]:
        yield from (text for text in [*axes.texts, axes.xaxis.label, axes.yaxis.label] if text.get_text())
        yield from _tick_labels(axes)


def _tick_labels(axes: Axes) -> Iterator[Text]:
    """Those that are drawn: inside the limits, and not switched off."""
    for axis, limits in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
        for tick in axis.get_major_ticks():
            for label, shown in (
                (tick.label1, tick.label1.get_visible()),
                (tick.label2, tick.label2.get_visible()),
            ):
                if shown and label.get_text() and min(limits) <= tick.get_loc() <= max(limits):
                    yield label


def assert_readable(figure: Figure) -> None:
    """No text leaves the sheet or touches another; no legend lies over a panel."""
    found = extents(figure)
    assert len(found) > 10
    width, height = figure.get_size_inches() * figure.dpi
    outside = [
        name for name, box in found.items() if box.x0 < 0 or box.y0 < 0 or box.x1 > width or box.y1 > height
    ]
    assert outside == []
    overlapping = [
        (one, other)
        for (one, first), (other, second) in combinations(found.items(), 2)
        if _shrunk(first).overlaps(_shrunk(second))
    ]
    assert overlapping == []
    for legend in [*figure.legends, *(axes.get_legend() for axes in figure.axes)]:
        if legend:
            box = _shrunk(legend.get_window_extent())
            assert not any(box.overlaps(axes.get_window_extent()) for axes in figure.axes)


def _shrunk(box: Bbox) -> Bbox:
    """Without the empty rim that extents have: a line's height is more than its letters'."""
    return Bbox.from_extents(box.x0 + 1, box.y0 + 2.5, box.x1 - 1, box.y1 - 2.5)


@pytest.mark.parametrize("lang", LANGS)
def test_the_timeline_is_readable(record: Record, data: timeline.Measured, lang: Lang) -> None:
    assert_readable(timeline_of(record, data, faults(record), lang))


@pytest.mark.parametrize("lang", LANGS)
def test_a_crowd_of_faults_is_readable(record: Record, data: timeline.Measured, lang: Lang) -> None:
    assert_readable(timeline_of(record, data, list(CROWD), lang))


def test_what_happened_outside_of_the_picture_is_not_in_it(record: Record, data: timeline.Measured) -> None:
    early, late = (
        Event(record.origin_ns + at_s * 10**9, "node.died", {"node": f"node at {at_s}"}) for at_s in (-30, 50)
    )
    told = replace(record, events=[*record.events, early, late])
    figure = timeline_of(told, data, faults(told), "en")
    assert_readable(figure)
    said = [text.get_text() for text in figure.axes[0].texts]
    assert "node at 50 died by itself" in said
    assert not any("node at -30" in text for text in said)


def test_every_fault_is_drawn_through_every_panel(record: Record, data: timeline.Measured) -> None:
    figure = timeline_of(record, data, list(CROWD), "en")
    lane, *panels = figure.axes
    assert len(panels) == 5
    last_s = timeline.scale_of(record, data).until_s
    wanted = [(fault.from_s, last_s if fault.until_s is None else fault.until_s) for fault in CROWD]
    for panel in panels:
        bands = [patch for patch in panel.patches if to_hex(patch.get_facecolor()) == canvas.BAND]
        drawn = [(band.get_x(), band.get_x() + band.get_width()) for band in bands]
        np.testing.assert_allclose(drawn, wanted)
    assert len(lane.patches) == len(CROWD)
    said = " ".join(text.get_text() for text in lane.texts)
    assert "power lost: singapore.a" in said
    assert "network cut: singapore.a | singapore.b" in said


def test_every_panel_has_its_grid_at_the_times_that_are_labelled(
    record: Record, data: timeline.Measured
) -> None:
    figure = timeline_of(record, data, faults(record), "en")
    figure.canvas.draw()
    last = figure.axes[-1]
    first_s, last_s = last.get_xlim()
    labelled = [
        tick.get_loc() for tick in last.xaxis.get_major_ticks() if first_s <= tick.get_loc() <= last_s
    ]
    assert len(labelled) > 5
    for axes in figure.axes:
        (grid,) = (each for each in axes.collections if isinstance(each, LineCollection))
        assert [line[0][0] for line in grid.get_segments()] == labelled


@pytest.mark.parametrize("lang", LANGS)
def test_the_mails_are_readable(record: Record, data: timeline.Measured, lang: Lang) -> None:
    waiting = mails.waiting(record)
    assert waiting is not None
    many = {f"host-{number}.example": waiting.domains["au.example"] * number for number in range(9)}
    with canvas.style():
        time = timeline.scale_of(record, data)
        figure = mails_figure.compose(replace(waiting, domains=many), list(CROWD), time, Words(lang))
    assert_readable(figure)
    assert len(figure.axes) == 3
    legend = figure.axes[1].get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == [f"host-{n}.example" for n in (5, 6, 7, 8)]


@pytest.mark.parametrize("lang", LANGS)
def test_the_recovery_is_readable(record: Record, lang: Lang) -> None:
    words = Words(lang)
    rows = recovery.recoveries(record, 118.0, ["docomo", "au", "softbank"])
    assert len(rows) == 15
    every = tuple(Segment(part, number, number + 1) for number, part in enumerate(PARTS))
    rows.append(Recovery("1-lose", "undo", "write", "au", len(every) - 0.5, 15.0, every))
    rows.append(Recovery("1-lose", "undo", "write", "docomo", 2.0, None, (Segment("polished_up", 0, 2),)))
    with canvas.style():
        figure = recovery_figure.compose(rows, Names(record, words), {"1-lose": LONG}, words)
    assert_readable(figure)
    assert "polished up" in [text.get_text() for legend in figure.legends for text in legend.get_texts()]


def test_what_was_never_restored_and_what_nobody_noticed_are_worded(record: Record) -> None:
    words = Words("en")
    rows = [
        Recovery("1-lose", "fault", "write", "au", None, 30.0, (Segment("whole", 0, 80),)),
        Recovery("1-lose", "fault", "write", "docomo", 29.5, 30.0, (Segment("whole", 0, 29.5),)),
        Recovery("1-lose", "fault", "read", "au", 0.0, None, ()),
        Recovery("1-lose", "undo", "read", "au", 1.5, None, (Segment("whole", 0, 1.5),)),
    ]
    with canvas.style():
        figure = recovery_figure.compose(rows, Names(record, words), {}, words)
    assert_readable(figure)
    said = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert {"never restored in this record", "nobody noticed", "1.50\u202fs"} <= set(said)


@pytest.mark.parametrize("lang", LANGS)
def test_the_host_is_readable(record: Record, data: timeline.Measured, lang: Lang) -> None:
    with canvas.style():
        time = timeline.scale_of(record, data)
        figure = host_figure.compose(record, data.probes, faults(record), time, Words(lang))
    assert_readable(figure)


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("most", [0.4, 90.0, 720.0])
def test_the_responses_are_readable(record: Record, lang: Lang, most: float) -> None:
    told = drill.statistics(record)
    assert told is not None
    scaled = replace(told, minutes=told.minutes / told.minutes.max() * most)
    with canvas.style():
        figure = responses_figure.compose(scaled, Words(lang))
    assert_readable(figure)


def test_one_answer_is_enough_to_draw(record: Record) -> None:
    told = drill.statistics(record)
    assert told is not None
    with canvas.style():
        assert_readable(responses_figure.compose(replace(told, minutes=np.asarray([0.0])), Words("en")))


def test_the_timeline_shows_when_a_runbook_began_and_ended(moved_record: Record) -> None:
    figure = timeline_of(moved_record, timeline.measured(moved_record), faults(moved_record), "en")
    assert_readable(figure)
    shown = [text.get_text() for text in _texts(figure)]
    assert {"runbook region-move", "region-move: proven"} <= set(shown)


def regions_of(record: Record, done: list[Fault], lang: Lang, **changes: object) -> Figure:
    words = Words(lang)
    names = Names(record, words)
    with canvas.style():
        time = timeline.scale_of(record, timeline.measured(record))
        told = replace(regions_figure.seen(record, done, time), **changes)  # type: ignore[arg-type]
        performed = runbooks.performances(record, names, words)
        return regions_figure.compose(told, record, done, performed, time, names, words)


@pytest.mark.parametrize("lang", LANGS)
def test_the_regions_are_readable(moved_record: Record, lang: Lang) -> None:
    figure = regions_of(moved_record, faults(moved_record), lang)
    assert_readable(figure)
    assert len([axes for axes in figure.axes if not axes.axison]) == 4
    crowd = [replace(fault, from_s=fault.from_s * 0.75) for fault in CROWD]
    everything = regions_of(moved_record, crowd, lang, moments=[Moment(9, "moment.before")] * 5)
    assert_readable(everything)


def test_a_map_says_in_words_what_each_region_is_and_which_link_is_cut(moved_record: Record) -> None:
    cut = Fault("9", "cut", "singapore, tokyo", ("wan-singapore-tokyo",), 19.5, 25.0, "proven", "", None)
    figure = regions_of(moved_record, [*faults(moved_record), cut], "en")
    before, after, later, _ = ([text.get_text() for text in axes.texts] for axes in figure.axes[:4])
    assert {"Singapore", "takes writes", "follows, 0.1 s", "220\u202fms"} <= set(before)
    assert "no answer" in after
    assert ("cut" in before, "cut" in after, "cut" in later) == (False, True, False)


def test_regions_without_any_observation_are_drawn_as_such(moved_record: Record) -> None:
    nothing = replace(
        moved_record,
        databases=moved_record.databases.slice(0, 0),
        replication=moved_record.replication.slice(0, 0),
        backups=[],
        events=[],
    )
    figure = regions_of(nothing, [], "en")
    assert_readable(figure)
    said = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert "not observed" in said
    assert "nobody watched how far the regions follow" in said


def test_a_region_that_no_map_knows_has_a_place() -> None:
    with canvas.style():
        sheet = canvas.sheet(3)
        axes = sheet.add_axes((0.1, 0.1, 0.3, 0.8))
        titles = ("Singapore", "Tokyo", "Virginia", "Frankfurt", "Sydney")
        places = [map_figure.Place(title.lower(), title, None, "follows") for title in titles]
        map_figure.draw(axes, places, [map_figure.Road(("tokyo", "frankfurt"), "230 ms", cut=False)])
    assert_readable(sheet)


def test_states_differ_in_more_than_colour() -> None:
    from reports.figures import strips

    for looks in (strips.CAPABILITY_LOOKS, strips.DATABASE_LOOKS, regions_figure.LOOKS):
        shapes = [(look.height, look.hatch, look.hollow) for look in looks.values()]
        assert len(set(shapes)) == len(shapes)
