"""The drill's statistics: the check's figures, the three comments, who is unconfirmed."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from sample_run import Sample, company_of

from harness.rundir import Json
from reports import drill
from reports.drill import Group, Statistics
from reports.reading import Record
from reports.words import Words

#: One company and all of them in the drill of 2019; that company's first two figures contradict each other.
OF_2019 = {
    "fastest": (1.0, 1.0),
    "p25": (0.9, 11.7),
    "median": (1.6, 51.0),
    "p75": (4.3, 141.0),
    "deviation": (33.9, 140.0),
}


def group(number: str | None, column: int, **other: Json) -> Group:
    figures: dict[str, Json] = {f"{name}_drill_min": pair[column] for name, pair in OF_2019.items()}
    return Group(
        number, f"company {number}", figures | {"asked": 10, "answered": 9, "answered_ratio": 0.9} | other
    )


def told(*companies: Group) -> Statistics:
    return Statistics(group(None, 1), companies, np.asarray([1.0, 2.0]), 10, {}, {})


def test_the_distribution_agrees_with_what_the_check_says(record: Record) -> None:
    found = drill.statistics(record)
    assert found is not None
    assert found.everyone is not None
    quartiles = np.percentile(found.minutes, (0, 25, 50, 75))
    for key, value in zip(drill.QUARTILES, quartiles, strict=True):
        assert found.everyone.minutes(key) == pytest.approx(value, abs=0.006)
    assert found.minutes.size == found.everyone.figures["answered"]
    assert found.asked == found.everyone.figures["asked"]


def test_the_unconfirmed_are_those_without_an_answer(record: Record, sample: Sample) -> None:
    found = drill.statistics(record)
    assert found is not None
    answered = {row["person"] for row in record.final["answers"]}
    assert sum(map(len, found.unconfirmed.values())) == found.asked - sample.answers
    for company, people in found.unconfirmed.items():
        assert not answered & set(people)
        assert {company_of(person) for person in people} == {company}


def test_nobody_is_unconfirmed_where_the_answers_were_not_read_back(record: Record) -> None:
    found = drill.statistics(replace(record, final={}))
    assert found is not None
    assert found.unconfirmed == {}


def test_percentiles_that_contradict_each_other_are_never_shown() -> None:
    """The report of 2019 printed a 25th percentile below the fastest answer; ours does not."""
    view = drill.view(told(group("1", 0), group("2", 1)), Words("en"))
    assert view is not None
    wrong, right = view.companies
    assert wrong.implausible
    assert wrong.box is None
    assert [cell.text for cell in wrong.cells[3:7]] == ["—"] * 4
    assert [cell.text for cell in right.cells[3:7]] == ["1.0", "11.7", "51.0", "141.0"]
    assert right.box == (0.71, 8.3, 36.17, 100.0)


def test_the_three_comments() -> None:
    quick = group("7", 1, fastest_drill_min=0.5, median_drill_min=40.0, deviation_drill_min=90.0)
    fastest, percentiles, spread = drill.comments(told(quick, group("8", 1)), Words("en"))
    assert fastest == "The fastest answer came 1 min after its mail. It came from company 7."
    assert (
        "one in four had done so within 11.7 min, half within 51 min, three in four within 141 min"
        in percentiles
    )
    assert percentiles.endswith("The quickest by its median is company 7 (40 min).")
    assert "spread by 140 min" in spread
    assert "1 of 2 companies spread less than everyone together: their habits are even" in spread


def test_comments_compare_nothing_where_there_is_one_company() -> None:
    assert not any("company" in comment for comment in drill.comments(told(group("1", 1)), Words("en")))


def test_no_comment_without_figures() -> None:
    nobody = Statistics(Group(None, "", {"asked": 3, "answered": 0}), (), np.empty(0), 3, {}, {})
    assert list(drill.comments(nobody, Words("ja"))) == []
    assert drill.view(nobody, Words("ja")) is not None


def test_a_long_list_is_cut_and_counted() -> None:
    many = replace(told(), unconfirmed={4: range(1, drill.MOST_LISTED + 11)}, names={4: "Four"})
    view = drill.view(many, Words("en"))
    assert view is not None
    (missing,) = view.missing
    assert (missing.company, missing.count, missing.left_out) == ("Four", drill.MOST_LISTED + 10, 10)


def test_nothing_is_told_of_a_run_without_a_drill(record: Record) -> None:
    empty = {leg: table.slice(0, 0) for leg, table in record.mail.items()}
    verdict = json.loads('{"checks": {"responses": {"detail": {}}}}')
    assert drill.statistics(replace(record, mail=empty, verdict=verdict)) is None
    assert drill.view(None, Words("en")) is None
