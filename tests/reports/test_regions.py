"""What each region was in time, against the sample of a move and histories with known answers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from sample_move import BACK_S, END_S, LOST_S, MOVED_S
from sample_run import Sample, at_ns

from harness.rundir import Json, history
from reports import reading, regions
from reports.faults import Fault, faults
from reports.reading import Gap, Record
from reports.regions import PROMISED_S, SETTLED_S, Region
from reports.series import Span


@pytest.fixture(scope="module")
def record(moved_record: Record) -> Record:
    return moved_record


@pytest.fixture(scope="module")
def found(record: Record) -> dict[str, Region]:
    return {region.name: region for region in regions.regions(record, (-8, END_S))}


def told(region: Region) -> list[tuple[str, float]]:
    return [(span.state, span.from_s) for span in region.states]


def test_the_sample_moves_from_singapore_to_tokyo(found: dict[str, Region]) -> None:
    assert list(found) == ["singapore", "tokyo", "virginia"]
    assert told(found["tokyo"]) == [("follows", -4), ("idle", MOVED_S - 2), ("writes", MOVED_S)]
    assert told(found["singapore"]) == [
        ("writes", -4), ("silent", LOST_S), ("behind", BACK_S + 3), ("follows", BACK_S + 4),
    ]  # fmt: skip
    assert [state for state, _ in told(found["virginia"])] == ["follows", "behind", "follows"]


def test_the_lag_is_told_while_a_region_follows_and_then_only(found: dict[str, Region]) -> None:
    tokyo = found["tokyo"]
    assert tokyo.lag(10) == pytest.approx(0.09)
    assert tokyo.lag(MOVED_S + 5) is None
    assert found["singapore"].lag(10) is None
    assert found["singapore"].lag(END_S - 1) == pytest.approx(0.12)
    assert np.nanmax(found["virginia"].lag_s) == pytest.approx(3.152)


@pytest.mark.parametrize(
    ("role", "wrote", "lag", "state"),
    [
        ("primary", True, 0.0, "writes"),
        ("primary", False, 0.0, "idle"),
        ("replica", False, 2.49, "follows"),
        ("replica", False, 2.5, "behind"),
        ("replica", False, None, "idle"),
        ("", False, 0.1, "silent"),
    ],
)
def test_a_state_is_what_was_seen(
    record: Record, role: str, wrote: bool, lag: float | None, state: str
) -> None:
    look = (at_ns(5), "database-t", role, 1, wrote, "")
    shown = 0 if lag is None else at_ns(5 - lag)
    follow = (at_ns(5.1), "database-t", "tokyo", at_ns(5), shown)
    one = replace(
        record,
        databases=table(history.DATABASE_SCHEMA, look),
        replication=table(history.REPLICATION_SCHEMA, follow),
    )
    region = regions.regions(one, (5, 5.4))[1]
    assert [span.state for span in region.states] == [state]
    assert region.state(5.2) == state
    assert region.state(9) == ""


def table(schema: pa.Schema, *rows: tuple[object, ...]) -> pa.Table:
    return pa.table(dict(zip(schema.names, zip(*rows, strict=True), strict=True)), schema)  # type: ignore[arg-type]


def test_the_best_database_of_a_region_counts(record: Record) -> None:
    rows = [
        (at_ns(5.1), "database-a", "singapore", at_ns(5), at_ns(1)),
        (at_ns(5.1), "database-b", "singapore", at_ns(5), at_ns(4)),
    ]
    looks = [(at_ns(5), node, "replica", 1, False, "") for node in ("database-a", "database-b")]
    one = replace(
        record,
        databases=table(history.DATABASE_SCHEMA, *looks),
        replication=table(history.REPLICATION_SCHEMA, *rows),
    )
    assert regions.regions(one, (5, 5.4))[0].lag(5.2) == pytest.approx(1.0)


def test_the_moments_are_before_after_the_take_over_and_the_end(record: Record) -> None:
    found = regions.regions(record, (-8, END_S))
    moments = regions.moments(found, faults(record), END_S)
    assert [(moment.key, moment.region) for moment in moments] == [
        ("moment.before", ""),
        ("moment.after", ""),
        ("moment.takes_over", "tokyo"),
        ("moment.end", ""),
    ]
    assert moments[0].at_s < LOST_S < moments[1].at_s < MOVED_S <= moments[2].at_s < moments[3].at_s <= END_S
    by_name = {region.name: region for region in found}
    assert by_name["singapore"].state(moments[1].at_s) == "silent"
    assert by_name["tokyo"].state(moments[2].at_s) == "writes"


def fault_at(from_s: float) -> Fault:
    return Fault("1", "lose", "singapore", (), from_s, None, "proven", "", None)


@pytest.mark.parametrize(
    ("began", "after"),
    [
        ([LOST_S - 9, LOST_S], [LOST_S - 9 + SETTLED_S, None]),  # each of two
        ([LOST_S - 1, LOST_S], [None]),  # of a burst the last one
        (
            [LOST_S - 27, LOST_S - 18, LOST_S - 9, LOST_S],
            [LOST_S - 9 + SETTLED_S, None],
        ),  # of many the last ones
    ],
)
def test_there_is_a_map_after_each_fault_that_there_is_room_for(
    record: Record, began: list[float], after: list[float | None]
) -> None:
    """None: before the region that it hit is replaced, see above."""
    found = regions.regions(record, (-8, END_S))
    moments = regions.moments(found, [fault_at(at_s) for at_s in began], END_S)
    shown = [moment.at_s for moment in moments if moment.key == "moment.after"]
    assert shown[:-1] == after[:-1]
    assert LOST_S < shown[-1] < MOVED_S
    assert [moment.key for moment in moments if moment.key != "moment.after"] == [
        "moment.before",
        "moment.takes_over",
        "moment.end",
    ]


def test_a_region_that_is_left_and_taken_back_without_a_fault_has_a_map_of_both() -> None:
    def writes(name: str, *when: tuple[float, float]) -> Region:
        return Region(name, [Span(*span, "writes") for span in when], np.empty(0), np.empty(0))

    there_and_back = [writes("singapore", (0, 10), (20, 30)), writes("tokyo", (10, 20))]
    moments = regions.moments(there_and_back, [], 30.0)
    assert [moment.region for moment in moments] == ["", "tokyo", "singapore", ""]


def test_without_a_fault_there_is_a_beginning_and_an_end(record: Record) -> None:
    calm = regions.moments([Region("tokyo", [], np.empty(0), np.empty(0))], [], 30.0)
    assert [moment.key for moment in calm] == ["moment.start", "moment.end"]


def test_alarms_are_told_with_their_lag(record: Record) -> None:
    seen = [(alarm.region, alarm.raised, alarm.lag_s) for alarm in regions.alarms(record)]
    assert seen == [("virginia", True, 2.61), ("virginia", False, 0.24)]


def test_backups_are_as_old_as_the_first_write_that_they_lack(record: Record) -> None:
    """The check's figure is of the best node at each instant; each node by itself is not better."""
    ages = {age.node: age for age in regions.ages(record)}
    assert set(ages) == {"backup-t", "backup-v"}
    best = np.minimum(ages["backup-t"].age_real_s, ages["backup-v"].age_real_s)
    checks = (record.verdict or {})["checks"]
    assert isinstance(checks, dict)
    backups = checks["backups"]
    assert isinstance(backups, dict)
    measured = backups["measured"]
    assert isinstance(measured, dict)
    assert best.max() == pytest.approx(measured["newest_restorable_age_real_s"], abs=0.01)
    assert ages["backup-v"].age_real_s.max() > 3 * best.max()


def test_the_age_is_held_against_what_the_check_held_it_against(record: Record) -> None:
    expected: dict[str, Json] = {"checks": {"backups": {"expected": {"newest_restorable_age_real_s": 30.0}}}}
    assert regions.limit_s(replace(record, verdict=expected)) == 30.0
    assert regions.limit_s(record) == regions.limit_s(replace(record, verdict=None)) == PROMISED_S


def test_what_several_regions_lack_is_a_gap(record: Record, own_move: Sample) -> None:
    assert record.gaps == () or {gap.file for gap in record.gaps} <= {"host.jsonl"} | {
        f"mail/{leg}.arrow" for leg in reading.MAIL_LEGS
    }
    for name in ("replication.arrow", "backups/observed.jsonl"):
        (own_move.run.path / name).unlink()
    torn = reading.read(own_move.run)
    assert {Gap("replication.arrow", "absent"), Gap("backups/observed.jsonl", "absent")} <= set(torn.gaps)
    assert regions.ages(torn) == []
    assert [span.state for span in regions.regions(torn, (-8, END_S))[2].states] == ["idle"]
