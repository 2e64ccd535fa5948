"""The recovery's bars, from the check's detail."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sample_run import BACK_S, FAULT_S, OUTAGE_S

from harness.rundir import Json
from reports.reading import Record
from reports.recovery import Recovery, recoveries

CARRIERS = ["docomo", "au", "softbank"]


def effect(mark: str, kind: str, capability: str, rto_s: float | None, restored_s: float | None) -> Json:
    told: dict[str, Json] = {"mark": mark, "kind": kind, "capability": capability, "vantage": "au"}
    return told | {"rto_s": rto_s, "restored_s": restored_s}


def of(record: Record, effects: list[Json], parts: list[Json]) -> list[Recovery]:
    finding: Json = {"expected": {"write_rto_s": 30.0}, "detail": {"effects": effects, "parts": parts}}
    return recoveries(replace(record, verdict={"checks": {"recovery": finding}}), 110.0, CARRIERS)


def made_of(mark: str = "1-lose", capability: str = "write", **seconds: Json) -> Json:
    """A row of the check's parts."""
    return {"mark": mark, "capability": capability, "vantage": "au", "rto_s": 12.0, **seconds}


def parts_of(row: Recovery) -> list[tuple[str, float, float]]:
    return [(segment.part, round(segment.from_s, 3), round(segment.until_s, 3)) for segment in row.segments]


def test_the_sample_has_a_bar_for_each_capability_and_carrier_in_their_order(record: Record) -> None:
    rows = recoveries(record, 118.0, CARRIERS)
    assert [(row.capability, row.vantage) for row in rows] == [
        (one, at) for one in OUTAGE_S for at in CARRIERS
    ]
    assert {row.limit_s for row in rows if row.capability == "write"} == {30.0}
    for row in rows:
        assert sum(segment.until_s - segment.from_s for segment in row.segments) == pytest.approx(row.rto_s)


def test_a_write_is_cut_into_the_parts_of_the_failover(record: Record) -> None:
    rows = {(row.capability, row.vantage): row for row in recoveries(record, 118.0, CARRIERS)}
    parts = [segment.part for segment in rows["write", "softbank"].segments]
    assert parts == ["detected", "decided", "promoted", "routed", "unexplained"]
    assert [segment.part for segment in rows["read", "docomo"].segments] == ["without_failover"]
    feed = [segment.part for segment in rows["feed", "au"].segments]
    assert feed == ["detected", "decided", "promoted", "routed", "unexplained"]


def test_each_capability_is_cut_at_its_own_instants(record: Record) -> None:
    parts = [
        made_of(promoted_s=6.0, routed_s=2.0, unexplained_s=4.0),
        made_of(capability="read", promoted_s=6.0, routed_s=5.0, unexplained_s=1.0),
    ]
    effects = [effect("1-lose", "fault", one, 12.0, 42.0) for one in ("write", "read")]
    read, write = of(record, effects, parts)
    assert parts_of(write) == [("promoted", 0, 6), ("routed", 6, 8), ("unexplained", 8, 12)]
    assert parts_of(read) == [("promoted", 0, 6), ("routed", 6, 11), ("unexplained", 11, 12)]


def test_who_did_not_wait_for_the_promotion_says_so(record: Record) -> None:
    parts = [made_of(promoted_s=6.0, routed_s=6.0), made_of(capability="read", promoted_s=None, routed_s=2.0)]
    effects = [effect("1-lose", "fault", "write", 12.0, 42.0), effect("1-lose", "fault", "read", 3.0, 33.0)]
    read, _ = of(record, effects, parts)
    assert parts_of(read) == [("without_failover", 0, 2), ("unexplained", 2, 3)]


def test_where_nobody_gave_way_the_way_was_found_anew(record: Record) -> None:
    parts = [made_of(capability="read", promoted_s=None, routed_s=2.0)]
    (read,) = of(record, [effect("1-lose", "fault", "read", 3.0, 33.0)], parts)
    assert parts_of(read) == [("routed", 0, 2), ("unexplained", 2, 3)]


def test_parts_that_were_not_seen_fall_to_the_next(record: Record) -> None:
    parts = [made_of(detected_s=5, decided_s=None, promoted_s=5, routed_s=None)]
    (row,) = of(record, [effect("1-lose", "fault", "write", 12.0, 42.0)], parts)
    assert parts_of(row) == [("detected", 0, 5), ("promoted", 5, 10), ("unexplained", 10, 12)]


def test_without_parts_the_bar_is_whole(record: Record) -> None:
    (row,) = of(record, [effect("1-lose", "fault", "write", 12.0, 42.0)], [])
    assert parts_of(row) == [("whole", 0, 12)]


def test_what_was_never_restored_reaches_to_the_end(record: Record) -> None:
    (row,) = of(record, [effect("1-lose", "fault", "write", None, None)], [])
    assert row.rto_s is None
    assert parts_of(row) == [("whole", 0, 110.0 - FAULT_S)]


def test_an_undoing_is_told_only_where_it_hurt(record: Record) -> None:
    quiet, hurt = (
        effect("1-lose", "undo", "read", 0.0, None),
        effect("1-lose", "undo", "write", 1.5, BACK_S + 1.5),
    )
    rows = of(record, [quiet, hurt, effect("1-lose", "fault", "read", 0.0, None)], [])
    assert [(row.kind, row.capability) for row in rows] == [("undo", "write"), ("fault", "read")]
    assert rows[0].limit_s is None
    assert rows[1].segments == ()


def test_only_the_fault_whose_parts_are_told_is_cut(record: Record) -> None:
    parts = [made_of(detected_s=5.0, promoted_s=5.0)]
    effects = [effect("1-lose", "fault", "write", 12.0, 42.0), effect("2-cut", "fault", "write", 3.0, 53.0)]
    rows = of(record, effects, parts)
    assert [len(row.segments) for row in rows] == [3, 1]
    assert rows[1].segments[0].part == "whole"


def test_rows_of_another_kind_are_left_out(record: Record) -> None:
    assert of(record, [None, {}, {"kind": "?"}], [None]) == []


def test_a_region_move_is_cut_into_its_steps_whatever_they_are_called(record: Record) -> None:
    told = {"declared": 2.0, "fenced": 1.5, "promoted": 4.5, "polished": 1.0, "named": 1.0, "routed": 1.0}
    seconds: dict[str, Json] = {f"{part}_s": value for part, value in told.items()}
    parts = [made_of(**seconds, unexplained_s=1.0, confirmed_s=8.0)]
    (row,) = of(record, [effect("1-lose", "fault", "write", 12.0, 42.0)], parts)
    assert [segment.part for segment in row.segments] == [*told, "unexplained"]
    assert row.segments[-1].until_s == 12.0


def test_a_runbook_that_was_never_recovered_from_counts_from_its_own_beginning(moved_record: Record) -> None:
    (row,) = of(moved_record, [effect("3-run", "run", "write", None, None)], [])
    assert parts_of(row) == [("whole", 0, 110.0 - 70.0)]


def test_the_sample_of_a_move_is_cut_into_its_steps_and_told_once(moved_record: Record) -> None:
    rows = recoveries(moved_record, 90.0, CARRIERS)
    assert {(row.mark, row.kind) for row in rows} == {("1-lose", "fault")}
    write = next(row for row in rows if row.capability == "write")
    assert [segment.part for segment in write.segments] == [
        "declared",
        "fenced",
        "promoted",
        "named",
        "routed",
    ]
