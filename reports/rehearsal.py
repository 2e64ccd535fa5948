"""The debrief of a rehearsal: when users were first told, and what each deviation from the runbook cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from harness.rundir import Json
from reports.names import Names
from reports.reading import Record, inside
from reports.tables import Cell, cell
from reports.words import Words

CHECK: Final = "rehearsal"
#: What a deviation cost, by its name in the check's detail, in the order of the columns.
COSTS: Final = ("failed", "unknown", "people", "answers_lost", "mails_late", "mails_lost")
#: A deviation -> the key of its sentence.
SAID: Final[Mapping[str, str]] = {
    "skipped": "debrief.skipped", "out of order": "debrief.disorder", "late": "debrief.late",
    "not proven": "debrief.undone",
}  # fmt: skip


@dataclass(frozen=True)
class Deviation:
    """One, as a row: `said` names the step and what became of it; `costs` are as `COSTS`."""

    said: str
    tone: str
    from_s: float
    until_s: float
    costs: tuple[Cell, ...]


@dataclass(frozen=True)
class Debrief:
    """`who` says who followed the runbook; `notice` when users were first told, and whether that was in time."""

    runbook: str
    who: str
    notice: str
    notice_tone: str
    deviations: tuple[Deviation, ...]
    headings: tuple[str, ...]


def debrief(record: Record, names: Names, words: Words) -> Debrief | None:
    """None where nothing was rehearsed, or nobody has judged it yet."""
    detail = record.detail(CHECK)
    if not detail:
        return None
    first_s = inside(record.finding(CHECK), "measured").get("first_notice_s")
    notice, tone = _notice(first_s, _number(detail.get("within_s")), words)
    steps = {str(row["step"]): row for row in _rows(detail.get("steps"))}
    title = {name: names.title(row.get("title"), name) for name, row in steps.items()}
    return Debrief(
        runbook=str(detail.get("runbook") or ""),
        who=words("debrief.auto") if detail.get("auto") else words("debrief.person", who=_who(steps, words)),
        notice=notice,
        notice_tone=tone,
        deviations=tuple(_deviation(row, title, words) for row in _rows(detail.get("deviations"))),
        headings=tuple(words(f"cost.{cost}") for cost in COSTS),
    )


def _notice(first_s: Json, within_s: float, words: Words) -> tuple[str, str]:
    within = f"{within_s / 60:.0f}"
    if not isinstance(first_s, int | float):
        return words("debrief.untold", within=within), "fail"
    key = "debrief.told" if first_s <= within_s else "debrief.told.late"
    return words(key, after=f"{first_s / 60:.1f}", within=within), "pass" if first_s <= within_s else "fail"


def _who(steps: Mapping[str, Mapping[str, Json]], words: Words) -> str:
    by = [row.get("by") for row in steps.values()]
    people = dict.fromkeys(str(each) for one in by if isinstance(one, list) for each in one)
    return words("join.comma").join(people) or words("value.none")


def _deviation(row: Mapping[str, Json], title: Mapping[str, str], words: Words) -> Deviation:
    what, step, behind = str(row.get("what")), str(row.get("step")), str(row.get("behind") or "")
    cost = row.get("cost")
    costs = cost if isinstance(cost, Mapping) else {}
    ending = words("debrief.until" if row.get("ended") else "debrief.never")
    said = words(
        SAID.get(what, "debrief.undone"), step=title.get(step, step), behind=title.get(behind, behind)
    )
    return Deviation(
        said=said if what == "not proven" else words("debrief.sentence", said=said, ending=ending),
        tone="fail" if what == "skipped" else "unknown",
        from_s=_number(row.get("from_s")),
        until_s=_number(row.get("until_s")),
        costs=tuple(cell(words, name, costs.get(name)) for name in COSTS),
    )


def _rows(value: Json) -> Sequence[Mapping[str, Json]]:
    return [row for row in value if isinstance(row, Mapping)] if isinstance(value, list) else []


def _number(value: Json) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
