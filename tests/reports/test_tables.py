"""Whatever a check wrote down becomes a table."""

from __future__ import annotations

from harness.rundir import Json
from reports.tables import MOST_ROWS, of_detail, of_rows
from reports.words import Words

WORDS = Words("en")


def test_objects_become_rows_under_all_their_keys() -> None:
    table = of_rows(WORDS, "title", [{"person": 4, "acknowledged_s": 29.5}, {"person": 5, "final": 0}])
    assert table.headings == ("person", "acknowledged at", "in the end")
    assert [[cell.text for cell in row] for row in table.rows] == [["4", "29.5\u202fs", ""], ["5", "", "0"]]
    assert table.numeric(0)
    assert table.numeric(2)


def test_plain_values_become_one_column() -> None:
    table = of_rows(WORDS, "", ["a", 3, None])
    assert table.headings == ()
    assert [row[0].text for row in table.rows] == ["a", "3", "—"]


def test_what_does_not_fit_is_counted() -> None:
    rows: list[Json] = [{"person": number} for number in range(MOST_ROWS + 7)]
    table = of_rows(WORDS, "", rows)
    assert (len(table.rows), table.left_out) == (MOST_ROWS, 7)


def test_a_detail_of_any_shape() -> None:
    detail: dict[str, Json] = {
        "median_drill_s": 90,
        "legs": {"composed": {"mails": 4}, "stored": {"mails": 3}},
        "answer": {"answered": 5, "p50_s": 0.02},
        "reigns": [{"node": "database-a", "from_s": 0.0}],
        "empty": [],
        "nothing": {},
    }
    single, legs, answer, reigns = of_detail(WORDS, detail, "mail")
    assert [cell.text for cell in single.rows[0]] == ["median", "1.5\u202fmin of drill time"]
    assert [[cell.text for cell in row] for row in legs.rows] == [["composed", "4"], ["stored", "3"]]
    assert [[cell.text for cell in row] for row in answer.rows] == [
        ["answered", "5"],
        [WORDS("measure.p50_s"), "20\u202fms"],
    ]
    assert reigns.title == "who took writes when"
