"""What the pictures draw, as numbers, against histories with known answers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from sample_run import FAULT_S, OUTAGE_S

from harness.rundir import history
from reports import series
from reports.reading import Record
from reports.series import Operations, Span


def operations(rows: list[tuple[float, float, str]]) -> Operations:
    """(intended, completed, outcome) of write probes at one carrier."""
    intended, completed, outcome = (np.asarray(column) for column in zip(*rows, strict=True))
    same = np.full(len(rows), "write"), np.full(len(rows), "au")
    return Operations(intended, intended, completed, same[0], outcome, same[1])


def test_rates_count_by_the_time_of_the_answer() -> None:
    rates = series.rates(
        operations([(0.1, 0.2, "ok"), (0.2, 1.5, "ok"), (0.3, 1.3, "info"), (1.0, 1.1, "fail")]), (0, 2)
    )
    assert rates.answered.tolist() == [1, 1]
    assert rates.failed.tolist() == [0, 2]


def test_who_was_shown_no_page_tried_to_answer_and_who_only_looked_did_not() -> None:
    load = operations([(0.1, 0.2, "ok"), (0.2, 0.4, "fail"), (0.3, 0.5, "ok"), (0.4, 0.6, "info")])
    kinds = np.asarray(["look", "look", "answer", "answer"])
    found = series.rates(series.tries(replace(load, kind=kinds)), (0, 1))
    assert (found.answered.tolist(), found.failed.tolist()) == ([1], [2])


def test_latency_counts_from_the_intended_time_and_breaks_where_nothing_was_answered() -> None:
    found = series.latencies(
        operations([(0.0, 0.1, "ok"), (0.5, 0.8, "ok"), (1.2, 2.2, "info"), (2.5, 4.5, "ok")]), (0, 3)
    )
    assert found.p50[0] == pytest.approx(200)
    assert np.isnan(found.p50[1])
    assert found.p99[2] == pytest.approx(2000)


def test_a_strip_shows_one_failed_probe_and_bridges_short_silence_only() -> None:
    rows = [(at / 10, at / 10 + 0.01, "fail" if at in (12, 20, 21, 22, 23, 24) else "ok") for at in range(30)]
    rows += [(10 + at / 10, 10 + at / 10, "ok") for at in range(5)]
    assert series.capability(operations(rows), "write", "au", (0, 11)) == [
        Span(0.0, 1.0, "up"),
        Span(1.0, 1.5, "partly"),
        Span(1.5, 2.0, "up"),
        Span(2.0, 2.5, "down"),
        Span(2.5, 5.0, "up"),
        Span(10.0, 11.0, "up"),
    ]


def test_strips_of_the_sample_show_its_outages(record: Record) -> None:
    probes = series.operations(record, record.probes)
    for capability, outage_s in OUTAGE_S.items():
        spans = series.capability(probes, capability, "docomo", (-5, 110))
        down = [span for span in spans if span.state == "down"]
        assert [span.from_s for span in down] == [FAULT_S]
        assert down[0].until_s == pytest.approx(FAULT_S + outage_s, abs=series.STRIP_BIN_S)


def test_databases_of_the_sample(record: Record) -> None:
    first, second = series.databases(record)
    assert [span.state for span in first.roles] == ["primary", "silent", "replica"]
    assert [span.state for span in second.roles] == ["replica", "claims", "primary"]
    assert [(round(at_s, 1), timeline) for at_s, timeline in second.promotions] == [(38.9, 2)]
    assert first.leads[-1].until_s == pytest.approx(35.9)


def looks(*rows: tuple[str, bool, str]) -> pa.Table:
    """(role, wrote, leader) of node `a`, ten times a second."""
    columns = {
        "at_ns": [number * 100_000_000 for number in range(len(rows))],
        "node": ["a"] * len(rows),
        "role": [row[0] for row in rows],
        "timeline": [1 if row[0] else 0 for row in rows],
        "wrote": [row[1] for row in rows],
        "leader": [row[2] for row in rows],
    }
    return pa.table(columns, history.DATABASE_SCHEMA)


def states(record: Record, table: pa.Table) -> tuple[list[str], int]:
    """What the strip of that node shows, and how often it took the leader key."""
    (node,) = series.databases(replace(record, databases=table))
    return [span.state for span in node.roles], len(node.leads)


def test_a_late_look_is_no_state_but_a_second_primary_always_is(record: Record) -> None:
    well, late, unseen = ("primary", True, "a"), ("primary", False, "a"), ("", False, "")
    assert states(record, looks(well, late, well, unseen, well)) == (["primary"], 1)
    assert states(record, looks(well, *[unseen] * 11, well)) == (["primary", "silent", "primary"], 2)
    assert states(record, looks(*[late] * 3, well)) == (["claims", "primary"], 1)
    other = ("replica", False, "b")
    assert states(record, looks(other, well, other, other)) == (["replica", "primary", "replica"], 1)


def mail_table(rows: list[tuple[str, int]]) -> pa.Table:
    ids, at_ns = zip(*rows, strict=True)
    same = [""] * len(rows)
    columns = {"id": ids, "to": same, "at_ns": at_ns, "node": same, "result": same}
    return pa.table(columns, history.MAIL_SCHEMA)


def test_the_backlog_counts_each_mail_once_and_no_probe(record: Record) -> None:
    second = 1_000_000_000
    start_ns = record.origin_ns
    composed = [("a", start_ns), ("b", start_ns), ("c", start_ns), ("probe-1", start_ns)]
    stored = [("a", start_ns + second), ("a", start_ns + 2 * second), ("b", start_ns + 3 * second)]
    legs = {
        "composed": mail_table(composed),
        "submitted": mail_table(stored[:1]),
        "stored": mail_table(stored),
    }
    found = series.backlog(replace(record, mail={**record.mail, **legs}), (0, 4), width_s=1)
    assert found.waiting.tolist() == [3, 2, 2, 1, 1]
    assert found.at_service.tolist() == [3, 2, 2, 1, 1]


def test_lag_is_of_the_probes_themselves() -> None:
    probes = replace(
        operations([(0.0, 1, "ok"), (0.5, 1, "ok"), (1.0, 2, "ok")]),
        invoked_s=np.asarray([0.001, 0.503, 1.2]),
    )
    _, middle, worst = series.lag_ms(probes, (0, 2))
    assert middle[0] == pytest.approx(2)
    assert worst[1] == pytest.approx(200)


@pytest.mark.parametrize(
    ("span", "edges"), [((0, 2), [0, 1, 2]), ((-0.5, 1.2), [-1, 0, 1, 2]), ((3, 3), [3, 4])]
)
def test_bins_cover_the_span(span: tuple[float, float], edges: list[float]) -> None:
    assert series.bins(span, 1).tolist() == edges
