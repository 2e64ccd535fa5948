"""The report of a replay: what is on record beside what was measured, as it happened and with the countermeasures."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from harness.checks import legs
from harness.checks.fates import Fates
from harness.checks.judge import Judgement
from harness.checks.recording import Recording
from harness.incidents.comparison import Comparison, compare
from harness.incidents.model import AS_HAPPENED, VARIANTS, Incident, Mark, Moment
from harness.incidents.replayed import REPORT, Replay
from harness.rundir import Event, Json, RunDir
from reports import reading, tables
from reports.run import environment
from reports.tables import Table
from reports.words import Lang, Words, number, quantity, split_unit
from topology.garbage import uncollected
from topology.map import Title

if TYPE_CHECKING:
    from reports.figures.canvas import Picture
    from reports.figures.missing import Missing
    from reports.figures.users import Users

#: Of a check that failed as it happened these kinds of evidence name nothing that was lost.
UNTOLD: Final = frozenset({"late", "queued", "duplicated"})
#: When something was seen last that was lost: in the run's own time, by whichever check names it.
LAST: Final = ("last_s", "acknowledged_s")


@dataclass(frozen=True)
class Beside:
    """One moment on record: when, what, where that stands, and when it came in each variant (empty: it did not).

    `by`: by how much ours, as it happened, is apart from the record; empty where a replay cannot be told apart from it.
    `why` explains that, and what else is not as on record.
    """

    at: str
    after: str
    what: str
    source: str
    ours: tuple[str, ...]
    by: str
    why: str


@dataclass(frozen=True)
class Row:
    """One difference: what each variant measured, by how much they differ, which countermeasures made it."""

    what: str
    values: tuple[str, ...]
    times: str
    by: str
    verdict: str
    says: str


@dataclass(frozen=True)
class Variant:
    """One run: its verdict, whether it did what it must, where its report is, what it lost by name, what began when."""

    name: str
    title: str
    verdict: str
    did: str
    why: str
    report: str
    run: str
    lost: tuple[Table, ...]
    marks: tuple[tuple[str, str], ...]


def write(replay: Replay, lang: Lang = "en") -> Path:
    """Write report.html into the replay's folder and give its path. Raises OSError."""
    path = replay.path / REPORT
    with uncollected():
        path.write_text(page(replay, Words(lang)), encoding="utf-8")
    return path


def page(replay: Replay, words: Words) -> str:
    """The whole page as HTML: a pure function of what is on record and of the two run directories."""
    incident = replay.incident
    judged = replay.judgements()
    compared = compare(incident, judged)
    return environment().get_template("incident.html.j2").render(
        w=words,
        title=_in(words, incident.title),
        why=_in(words, incident.why),
        name=incident.name,
        began=_began(incident.began, words),
        verdict=compared.verdict.value,
        said=words(f"verdict.incident.{compared.verdict.value}"),
        heard=compared.why,
        timeline=[_beside(replay, judged, moment, words) for moment in incident.official],
        rows=_rows(incident, compared, words),
        countermeasures=[(_in(words, each.title), each.source) for each in incident.countermeasures],
        figures=[(_in(words, each.what), _in(words, each.value), each.source) for each in incident.figures],
        picture=_picture(replay, words),
        variants=[_variant(replay, judged, compared, variant, words) for variant in VARIANTS],
        sources=[(name, _in(words, title)) for name, title in incident.sources.items()],
        scales=_scales(replay, words),
    )  # fmt: skip


def _in(words: Words, title: Title) -> str:
    return title.ja if words.lang == "ja" else title.en


def _scale(run: RunDir) -> float:
    """Drill seconds to a real second; 1 where nobody knows."""
    try:
        return run.clock.scale or 1.0
    except (OSError, ValueError):
        return 1.0


def _scales(replay: Replay, words: Words) -> str:
    """What a second of each run stands for; told once where it is the same in both."""
    minutes = {variant: number(_scale(run) / 60) for variant, run in replay.runs.items()}
    if len(set(minutes.values())) == 1:
        return words("incident.scale", minutes=minutes[VARIANTS[0]])
    each = (
        words("incident.scale.of", minutes=minutes[name], run=words(f"incident.{name}")) for name in VARIANTS
    )
    return words("join.list").join(each)


# -- the timelines side by side -----------------------------------------------------------------------------------


def _beside(replay: Replay, judged: Mapping[str, Judgement], moment: Moment, words: Words) -> Beside:
    when = {
        variant: _when_s(replay.runs[variant], judged[variant], moment.ours) if moment.ours else None
        for variant in VARIANTS
    }
    by = _apart(when[AS_HAPPENED], moment, _scale(replay.runs[AS_HAPPENED]), words)
    unexplained = by or moment.ours is None
    why = _in(words, moment.apart) if moment.apart else words("incident.unexplained") if unexplained else ""
    return Beside(
        _at(replay.incident.began, moment),
        words.clock(moment.after.s),
        _in(words, moment.what),
        moment.source,
        tuple(_told(each, words) if moment.ours else "" for each in when.values()),
        by,
        why,
    )


def _apart(ours_s: float | None, moment: Moment, scale: float, words: Words) -> str:
    """By how much ours differs from the record. A real second or less says nothing: so coarse is a replay's clock."""
    if moment.ours is None:
        return ""
    if ours_s is None:
        return words("incident.never.came")
    by_s = ours_s - moment.after.s
    return f"{'+' if by_s > 0 else ''}{words.clock(by_s)}" if abs(by_s) > scale else ""


def _began(began: date | None, words: Words) -> str:
    """As exactly as it is on record."""
    if isinstance(began, datetime):
        return began.isoformat(timespec="minutes")
    return words("incident.undated") if began is None else began.isoformat()


def _at(began: date | None, moment: Moment) -> str:
    """When a moment was; empty where the time of day is not on record."""
    if not isinstance(began, datetime):
        return ""
    return f"{began + timedelta(seconds=moment.after.s):%Y-%m-%d %H:%M}"


def _told(drill_s: float | None, words: Words) -> str:
    return words("incident.never") if drill_s is None else words.clock(drill_s)


def _when_s(run: RunDir, judgement: Judgement, mark: Mark) -> float | None:
    """When what stands beside a moment came, in drill seconds after the first fault; None if it never did."""
    if mark.kind == "measured":
        check, _, name = mark.name.partition(".")
        finding = judgement.findings.get(check)
        value = finding.measured.get(name) if finding else None
        if not isinstance(value, int | float):
            return None
        return float(value) if name.endswith("_drill_s") or name == "first_notice_s" else value * _scale(run)
    events = run.events()
    first = next((event for event in events if event.kind == "fault.injecting"), None)
    event = _event(events, mark)
    if first is None or event is None:
        return None
    return (event.at_ns - first.at_ns) / 1e9 * _scale(run)


def _event(events: Sequence[Event], mark: Mark) -> Event | None:
    if mark.kind == "step":
        proven = [
            event for event in events if event.kind == "step.proven" and event.data.get("step") == mark.name
        ]
        return proven[-1] if proven else None
    faults = [
        event.data.get("fault")
        for event in events
        if event.kind == "fault.injecting" and event.data.get("verb") == mark.name
    ]
    kind = "fault.injecting" if mark.kind == "fault" else "fault.undone"
    return next(
        (event for event in events if event.kind == kind and event.data.get("fault") in faults[:1]), None
    )


# -- what differs -------------------------------------------------------------------------------------------------


def _rows(incident: Incident, compared: Comparison, words: Words) -> list[Row]:
    titles = {each.name: _in(words, each.title) for each in incident.countermeasures}
    return [
        Row(
            what=_in(words, each.difference.what),
            values=tuple(
                _value(words, each.difference.measured, each.values[variant]) for variant in VARIANTS
            ),
            times="" if each.times is None else quantity(each.times, words("incident.times")),
            by=words("join.list").join(titles[name] for name in each.difference.by),
            verdict=each.verdict.value,
            says=each.says,
        )
        for each in compared.differences
    ]


def _value(words: Words, key: str, value: float | None) -> str:
    """Hours and minutes where it is that long; else as every report has it."""
    drill = split_unit(key)[1] == "drill_s" or key == "first_notice_s"
    if drill and value is not None and value >= 60:
        return words.clock(value)
    whole = int(value) if value is not None and value.is_integer() else value
    return words.value(key, whole)


# -- the picture --------------------------------------------------------------------------------------------------


def _picture(replay: Replay, words: Words) -> Picture | None:
    """Of an incident of mail, which mails were missing when; else what users could do when. None where nothing was."""
    from reports.figures import missing, users  # drawing takes matplotlib, which takes a second to load

    if "mail" not in replay.incident.loses:
        seen = [_users(words(f"incident.{variant}"), replay.runs[variant], words) for variant in VARIANTS]
        return users.draw(seen, words, replay.path / "figures")
    runs = [_missing(words(f"incident.{variant}"), replay.runs[variant]) for variant in VARIANTS]
    drawn = [run for run in runs if run is not None]
    return missing.draw(drawn, words, replay.path / "figures") if len(drawn) == len(VARIANTS) else None


def _missing(title: str, run: RunDir) -> Missing | None:
    from reports.figures.missing import Missing

    mails = legs.read(Recording(run))
    fates = Fates(mails, drained=True)
    first = next((event for event in run.events("fault.injecting")), None)
    if first is None or not fates.composed.any():
        return None
    hours = _scale(run) / 3600
    composed_ns = fates.composed_ns[fates.composed]
    boxed_ns = mails.firsts(mails.leg("stored"), fates.right)[fates.composed]
    boxed_h = np.where(boxed_ns == legs.NEVER, np.nan, (boxed_ns - first.at_ns) / 1e9 * hours)
    marks = [(at_ns - first.at_ns) / 1e9 * hours for at_ns, _ in _marks(run)]
    return Missing(title, (composed_ns - first.at_ns) / 1e9 * hours, boxed_h, marks)


def _users(title: str, run: RunDir, words: Words) -> Users:
    from reports.figures import users

    record = reading.read(run)
    marks = _marks(run)
    first_ns = marks[0][0] if marks else record.origin_ns
    at_h = [(at_ns - first_ns) / 1e9 * record.scale / 3600 for at_ns, _ in marks]
    return users.of(title, record, at_h, record.seconds(first_ns), words)


def _marks(run: RunDir) -> list[tuple[int, Json]]:
    """When the first fault began and each runbook after it, and what that is called."""
    found: list[tuple[int, Json]] = []
    for event in run.events("fault.injecting", "runbook.started"):
        if event.kind == "runbook.started":
            found.append((event.at_ns, event.data.get("title") or event.data.get("runbook")))
        elif not found:
            found.append((event.at_ns, None))
    return found


def _listed(run: RunDir, words: Words) -> tuple[tuple[str, str], ...]:
    """The marks in words: drill time after the first fault, and what began."""
    marks = _marks(run)
    scale = _scale(run)
    return tuple(
        (
            words.clock((at_ns - marks[0][0]) / 1e9 * scale),
            words("incident.fault") if title is None else words.value("title", title),
        )
        for at_ns, title in marks
    )


# -- the runs -----------------------------------------------------------------------------------------------------


def _variant(
    replay: Replay, judged: Mapping[str, Judgement], compared: Comparison, name: str, words: Words
) -> Variant:
    run, judgement = replay.runs[name], judged[name]
    did, why = compared.variants[name]
    return Variant(
        name=name,
        title=words(f"incident.{name}"),
        verdict=judgement.verdict.value,
        did=did.value,
        why=why,
        report=os.path.relpath(run.path / "report.html", replay.path),
        run=run.name,
        lost=tuple(_lost(replay.incident, judgement, _scale(run), words)),
        marks=_listed(run, words),
    )


def _lost(incident: Incident, judgement: Judgement, scale: float, words: Words) -> list[Table]:
    """Whatever the checks that lost something as it happened can name, all of it."""
    found = []
    for name in incident.loses:
        finding = judgement.findings.get(name)
        rows: list[Json] = [row for row in (finding.evidence if finding else ()) if _tells_of_a_loss(row)]
        if rows:
            title = (
                f"{words.known(f'check.{name}', name)} ({len(rows):,}){_when(judgement, rows, scale, words)}"
            )
            found.append(tables.of_rows(words, title, rows, name, most=len(rows)))
    return found


def _tells_of_a_loss(row: Json) -> bool:
    """Not of what was late or came twice, nor of a block whose users were never cut off."""
    return not (isinstance(row, dict) and (row.get("what") in UNTOLD or row.get("cut_off_s") == 0))


def _when(judgement: Judgement, rows: Sequence[Json], scale: float, words: Words) -> str:
    """From when to when what was lost was seen last, on the same clock as the timelines; empty where nobody says."""
    first_s = min((fault.at_s for fault in judgement.faults), default=None)
    last = [row[key] for row in rows if isinstance(row, dict) for key in LAST if key in row]
    known = [
        (at_s - first_s) * scale for at_s in last if first_s is not None and isinstance(at_s, int | float)
    ]
    if not known:
        return ""
    return words("incident.lost.when", first=words.clock(min(known)), last=words.clock(max(known)))
