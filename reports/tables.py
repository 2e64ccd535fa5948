"""Whatever a check wrote down, as a table that a page can show."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from harness.rundir import Json
from reports.words import Words

#: More rows than this help nobody who reads; all of them stand in verdict.json.
MOST_ROWS: Final = 200


@dataclass(frozen=True)
class Cell:
    """A value as people read it, and as it was written (`raw`), for those who compute with it."""

    text: str
    raw: str
    numeric: bool


@dataclass(frozen=True)
class Table:
    """Rows under headings; no headings where the rows are single values. `left_out` rows did not fit."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    left_out: int = 0

    def numeric(self, column: int) -> bool:
        """Whether a column holds nothing but numbers and gaps, which stand to the right."""
        cells = [row[column] for row in self.rows if row[column].raw not in ("", "null")]
        return bool(cells) and all(cell.numeric for cell in cells)


def cell(words: Words, key: str, value: Json) -> Cell:
    """One value; `key` names its unit."""
    numeric = isinstance(value, int | float) and not isinstance(value, bool)
    raw = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return Cell(words.value(key, value), raw, numeric)


def of_rows(words: Words, title: str, rows: Sequence[Json], check: str = "", most: int = MOST_ROWS) -> Table:
    """A list of objects by their keys, or of plain values in one column. `check` says whose words the keys are."""
    shown, left_out = rows[:most], max(0, len(rows) - most)
    keys: list[str] = []
    for row in shown:
        if isinstance(row, dict):
            keys += [key for key in row if key not in keys]
    if not keys:
        return Table(title, (), tuple((cell(words, "", row),) for row in shown), left_out)
    lines = []
    for row in shown:
        values = row if isinstance(row, dict) else {keys[0]: row}
        lines.append(
            tuple(cell(words, key, values[key]) if key in values else Cell("", "", False) for key in keys)
        )
    return Table(title, tuple(words.measure(key, check) for key in keys), tuple(lines), left_out)


def of_detail(words: Words, detail: Mapping[str, Json], check: str = "") -> list[Table]:
    """One table for each part of a check's detail that has rows; single values share a table of their own."""
    single = {key: value for key, value in detail.items() if not isinstance(value, list | dict)}
    tables = [_pairs(words, "", single, check)]
    for key, value in detail.items():
        title = words.measure(key, check)
        if isinstance(value, list):
            tables.append(of_rows(words, title, value, check))
        elif isinstance(value, dict) and any(isinstance(inner, dict) for inner in value.values()):
            rows: list[Json] = [
                {"name": name, **inner} for name, inner in value.items() if isinstance(inner, dict)
            ]
            tables.append(of_rows(words, title, rows, check))
        elif isinstance(value, dict):
            tables.append(_pairs(words, title, value, check))
    return [table for table in tables if table.rows]


def _pairs(words: Words, title: str, values: Mapping[str, Json], check: str) -> Table:
    """What each quantity is called, and its value."""
    rows = (
        (Cell(words.measure(key, check), key, False), cell(words, key, value))
        for key, value in values.items()
    )
    return Table(title, (), tuple(rows))
