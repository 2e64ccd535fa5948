"""What somebody who rehearsed is told: each step against its plan, the first notice, what deviations cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from harness.rundir import Json
from harness.rundir.verdict import Finding
from harness.terminal.panel import HOLD

CHECK: Final = "rehearsal"
#: What there is to say of a cost, by its name in the check's detail.
COSTS: Final[Mapping[str, str]] = {
    "failed": "answers refused or failed",
    "unknown": "answers without a reply",
    "people": "people concerned",
    "answers_lost": "acknowledged answers lost",
    "mails_late": "mails late",
    "mails_lost": "mails lost",
}


def debrief(finding: Finding) -> RenderableType | None:
    """Of the check `rehearsal`; None where nothing was rehearsed."""
    steps = _rows(finding.detail.get("steps"))
    if not finding.detail:
        return None
    parts: list[RenderableType] = [Text(f"debrief: {finding.detail.get('runbook')}", "bold"), _steps(steps)]
    parts.append(_first_notice(finding))
    parts += [_deviation(row) for row in _rows(finding.detail.get("deviations"))]
    return Group(*parts)


def _steps(steps: Sequence[Mapping[str, Json]]) -> Table:
    table = Table("step", "", "who", "began", "took", "planned", "", box=None, pad_edge=False)
    for row in steps:
        proven = row["proven_s"] is not None
        late = isinstance(row["took_s"], float) and row["took_s"] > _number(row["within_s"])
        table.add_row(
            Text(str(row["step"]), "green" if proven else "red"),
            Text(f" {HOLD} ", "bold white on green" if proven else "bold white on red")
            if row["hold"]
            else "",
            _who(row),
            _seconds(row["begun_s"]),
            Text(_seconds(row["took_s"]), "red" if late else ""),
            _seconds(row["within_s"]),
            _came(row, proven),
        )
    return table


def _who(row: Mapping[str, Json]) -> str:
    role, by = row["role"], row["by"]
    title = role.get("title") if isinstance(role, Mapping) else None
    names = ", ".join(map(str, by)) if isinstance(by, list) else ""
    return f"{names} ({title.get('en')})" if isinstance(title, Mapping) and names else names


def _came(row: Mapping[str, Json], proven: bool) -> str:
    attempts = row["attempts"]
    word = "proven" if proven else "not proven" if attempts else "never begun"
    return f"{word}, {attempts} attempts" if isinstance(attempts, int) and attempts > 1 else word


def _first_notice(finding: Finding) -> Text:
    first_s, within_s = finding.measured.get("first_notice_s"), _number(finding.detail.get("within_s"))
    if not isinstance(first_s, int | float):
        return Text("first notice: users were never told of a fault", "red")
    met = first_s <= within_s
    words = f"first notice after {first_s / 60:.0f} min of drill time, {'within' if met else 'not within'}"
    return Text(f"{words} {within_s / 60:.0f}", "green" if met else "red")


def _deviation(row: Mapping[str, Json]) -> Text:
    """`fence was skipped: promote began at 48.1 s, it was proven at 52.3 s; in these 4.2 s: 132 answers …`"""
    from_s, until_s = _number(row["from_s"]), _number(row["until_s"])
    ending = f"proven at {until_s:.1f} s" if row["ended"] else "never proven"
    match row["what"]:
        case "skipped":
            said = f"HOLD POINT {row['step']} was skipped: {row['behind']} began at {from_s:.1f} s; {ending}"
        case "out of order":
            said = f"{row['step']} was passed over: {row['behind']} began at {from_s:.1f} s; {ending}"
        case "late":
            said = f"{row['step']} was due at {from_s:.1f} s; {ending}"
        case _:
            said = f"{row['step']} was never proven"
    cost = row["cost"]
    told = ", ".join(_costs(cost)) if isinstance(cost, Mapping) else ""
    text = Text(said, "bold red" if row["what"] == "skipped" else "yellow")
    return text.append(f"\n  in these {until_s - from_s:.1f} s: {told or 'it cost nothing'}", "")


def _costs(cost: Mapping[str, Json]) -> Iterator[str]:
    for name, words in COSTS.items():
        if cost.get(name) is None:
            yield f"{words}: not known"
        elif cost[name]:
            yield f"{cost[name]} {words}"


def _seconds(value: Json) -> str:
    return f"{value:.1f} s" if isinstance(value, int | float) else "-"


def _number(value: Json) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _rows(value: Json) -> list[Mapping[str, Json]]:
    return [row for row in value if isinstance(row, Mapping)] if isinstance(value, list) else []
