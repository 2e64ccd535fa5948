"""The section on the mails: the books add up on the page, and the backlog is the one that the legs tell."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from page import written

from harness.rundir import RunDir
from reports import mails
from reports.reading import Record
from reports.words import Words


def test_every_row_of_the_books_adds_up(record: Record) -> None:
    view = mails.view(record, Words("en"))
    assert view is not None
    ledger = view.books[0]
    assert ledger.headings[:3] == ("leg", "came", "went on")
    assert [row[0].text for row in ledger.rows] == [
        "composed", "submitted", "relayed", "stored", "noticed", "opened",
    ]  # fmt: skip
    for row in ledger.rows:
        came, *became = (int(cell.raw) for cell in row[1:8])
        assert came == sum(became), row[0].text
    assert int(ledger.rows[0][1].raw) > 1000


def test_the_backlog_is_what_came_to_a_leg_and_not_to_the_next(record: Record) -> None:
    waiting = mails.waiting(record)
    assert waiting is not None
    legs = {
        leg: (record.mail[leg].column("at_ns").to_numpy() - record.origin_ns) / 1e9
        for leg in ("composed", "submitted", "stored")
    }
    for at_s in (0, 100, 250, -1):
        # The verdict's times are rounded to a millisecond.
        early, late = (
            [(legs[leg] <= waiting.at_s[at_s] + off_s).sum() for leg in ("composed", "submitted")]
            for off_s in (-0.0006, 0.0006)
        )
        assert early[0] - late[1] <= waiting.places["outbox"][at_s] <= late[0] - early[1]
    on_the_way = np.sum([waiting.places[place] for place in mails.ON_THE_WAY], axis=0)
    np.testing.assert_array_equal(np.sum(list(waiting.domains.values()), axis=0), on_the_way)
    assert on_the_way.max() > 1000
    assert on_the_way[-1] == 0


@pytest.mark.parametrize(
    "torn",
    [
        lambda detail: detail.pop("waiting_over_time"),
        lambda detail: detail.update(waiting_over_time={}),
        lambda detail: detail["waiting_over_time"].update(at_s=[1.0]),
        lambda detail: detail["waiting_over_time"].update(places=None),
    ],
)
def test_a_verdict_without_them_has_nothing_to_show(
    record: Record, torn: Callable[[dict[str, object]], object]
) -> None:
    verdict = json.loads(json.dumps(record.verdict))
    torn(verdict["checks"]["mail"]["detail"])
    without = replace(record, verdict=verdict)
    assert mails.waiting(without) is None
    assert mails.view(without, Words("en")) is None


def test_where_there_is_nothing_to_show_there_is_no_section(own_run: RunDir) -> None:
    verdict = json.loads((own_run.path / "verdict.json").read_text())
    del verdict["checks"]["mail"]["detail"]["waiting_over_time"]
    own_run.write("verdict.json", json.dumps(verdict))
    assert not written(own_run).having("section", id="mail")
