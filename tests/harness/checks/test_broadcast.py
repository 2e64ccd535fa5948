"""Broadcasts, against what was published and whom it concerned."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.checks import broadcast
from harness.rundir import Json
from harness.rundir.verdict import Verdict
from tests.harness.checks.recorded import Recorded, company, ns

Record = Callable[..., Recorded]
KANTO = {"350": "7", "301": "5+"}


def sent(number: int, company: int, at_s: float = 10.2, **more: Json) -> dict[str, Json]:
    """A row of final/broadcasts.jsonl; the hold of ten drill minutes is ten seconds here."""
    return {"event": "e", "broadcast": number, "company": company, "at_ns": ns(at_s), "people": 3, **more}


@pytest.fixture
def kanto(record: Record) -> Recorded:
    """A quake at 0 s; companies 1 to 3 are concerned, 4 and 5 are not."""
    run = record(broadcast={"exactly": "once"})
    run.publish(0.0, "e", KANTO)
    run.final(
        "companies",
        company(1, 3),
        company(2, 3, areas=["350"], least="7"),
        company(3, 3, areas=["301", "800"], least="5+"),
        company(4, 3, areas=["301"], least="6-"),
        company(5, 3, areas=["800"]),
        company(900, 1, standing=True),
    )
    run.final("broadcasts", {**sent(99, 900, -30.0), "event": None, "people": 1, "standing": True})
    return run


def test_each_company_concerned_gets_one(kanto: Recorded) -> None:
    kanto.final("broadcasts", sent(1, 1), sent(2, 2), sent(3, 3))
    finding = broadcast.check(kanto.end())
    assert finding.verdict is Verdict.PASS
    assert (finding.measured["exactly"], finding.measured["due"]) == ("once", 3)
    assert finding.why == "Each of 3 companies concerned, of 5, got exactly one broadcast."


@pytest.mark.parametrize(
    ("rows", "what", "concerned"),
    [
        ([sent(1, 1), sent(2, 2), sent(3, 3), sent(4, 2, 44.0)], "twice", 2),
        ([sent(1, 1), sent(3, 3)], "missing", 2),
        ([sent(1, 1), sent(2, 2), sent(3, 3), sent(4, 5)], "unwanted", 5),
        ([sent(1, 1), sent(2, 2, 7.0), sent(3, 3)], "early", 2),
        ([sent(1, 1), sent(2, 2), sent(3, 3, people=2)], "incomplete", 3),
    ],
)
def test_what_is_not_exactly_once(
    kanto: Recorded, rows: list[dict[str, Json]], what: str, concerned: int
) -> None:
    kanto.final("broadcasts", *rows)
    finding = broadcast.check(kanto.end())
    assert finding.verdict is Verdict.FAIL
    assert finding.measured[what] == 1
    assert finding.measured["exactly"] == what
    (evidence,) = finding.evidence
    assert isinstance(evidence, dict)
    assert (evidence["what"], evidence["company"]) == (what, concerned)


@pytest.mark.parametrize(("arrived_s", "early"), [(-0.5, 0), (0.0, 2), (3.0, 2), (-60.0, 0)])
def test_the_hold_counts_from_the_arrival(kanto: Recorded, arrived_s: float, early: int) -> None:
    """An arrival a minute before the telegram was published is not believed."""
    kanto.final("events", {"event": "e", "received_at_ns": ns(arrived_s)})
    kanto.final("broadcasts", sent(1, 1, 9.6), sent(2, 2, 9.6), sent(3, 3))
    assert broadcast.check(kanto.end()).measured["early"] == early


def test_a_later_telegram_brings_in_more_companies(kanto: Recorded) -> None:
    kanto.publish(4.0, "e", {**KANTO, "800": "5-"}, info="訂正")
    kanto.final("broadcasts", *(sent(number, number) for number in (1, 2, 3, 5)))
    assert broadcast.check(kanto.end()).verdict is Verdict.PASS


def test_cancelled_inside_the_hold_nobody_gets_it(kanto: Recorded) -> None:
    kanto.publish(4.0, "e", {}, info="取消")
    kanto.final("broadcasts", sent(1, 1))
    finding = broadcast.check(kanto.end())
    assert finding.measured["unwanted"] == 1
    assert finding.verdict is Verdict.FAIL


def test_cancelled_after_the_hold_it_was_right(kanto: Recorded) -> None:
    kanto.publish(20.0, "e", {}, info="取消")
    kanto.final("broadcasts", sent(1, 1), sent(2, 2), sent(3, 3))
    assert broadcast.check(kanto.end()).verdict is Verdict.PASS


@pytest.mark.parametrize("rows", [[], [sent(1, 1), sent(2, 2), sent(3, 3)]])
def test_cancelled_as_the_hold_ends_either_is_right(record: Record, rows: list[dict[str, Json]]) -> None:
    run = record()
    run.publish(0.0, "e", KANTO)
    run.publish(9.5, "e", {}, info="取消")
    run.final("companies", *(company(number, 3) for number in (1, 2, 3)))
    run.final("broadcasts", *rows)
    assert broadcast.check(run.end()).verdict is Verdict.PASS


@pytest.mark.parametrize("status", ["訓練", "試験"])
def test_training_reaches_nobody(record: Record, status: str) -> None:
    run = record(broadcast={"exactly": "never"})
    run.publish(0.0, "e", KANTO, status=status)
    run.final("companies", company(1, 3))
    run.final("broadcasts")
    assert broadcast.check(run.end()).verdict is Verdict.PASS


def test_a_training_telegram_that_reached_someone_fails(record: Record) -> None:
    run = record(broadcast={"exactly": "never"})
    run.publish(0.0, "e", KANTO, status="訓練")
    run.final("companies", company(1, 3))
    run.final("broadcasts", sent(1, 1))
    assert broadcast.check(run.end()).measured["unwanted"] == 1


@pytest.mark.parametrize(
    ("kind", "wish", "warning", "advisory"),
    [("VTSE41", "tsunami", "51", "62"), ("VPWW54", "special", "33", "03")],
)
def test_warnings_go_to_those_who_want_them(
    record: Record, kind: str, wish: str, warning: str, advisory: str
) -> None:
    neither: dict[str, Json] = {"tsunami": False, "special": False}
    for said, count in ((warning, 1), (advisory, 0)):
        run = record(broadcast={"count": count})
        run.publish(0.0, "e", {"140000": said}, kind=kind)
        run.final(
            "companies", company(1, 3, areas=["999"], **{**neither, wish: True}), company(2, 3, **neither)
        )
        run.final("broadcasts", *[sent(1, 1)][:count])
        assert broadcast.check(run.end()).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("kind", "table", "code", "warning"),
    [("VTSE41", "coasts", "310", "51"), ("VPWW54", "prefectures", "140000", "33")],
)
def test_warnings_go_to_those_whose_places_they_name(
    record: Record, kind: str, table: str, code: str, warning: str
) -> None:
    run = record(broadcast={"exactly": "once"})
    run.publish(0.0, "e", {code: warning}, kind=kind)
    run.final("companies", company(1, 3, **{table: [code]}), company(2, 3, **{table: ["999"]}))
    run.final("broadcasts", sent(1, 1))
    assert broadcast.check(run.end()).verdict is Verdict.PASS


def test_weather_warnings_are_named_by_their_day(record: Record) -> None:
    run = record(broadcast={"exactly": "once"})
    run.publish(0.0, "", {"140000": "33"}, kind="VPWW54")
    run.final("companies", company(1, 3))
    run.final("broadcasts", {**sent(1, 1), "event": "VPWW54-気象庁本庁-20260115"})
    assert broadcast.check(run.end()).verdict is Verdict.PASS


def test_a_cancellation_takes_back_its_own_kind_alone(kanto: Recorded) -> None:
    kanto.publish(2.0, "e", {"310": "51"}, kind="VTSE41")
    kanto.publish(4.0, "e", {}, kind="VTSE41", info="取消")
    kanto.final("broadcasts", sent(1, 1), sent(2, 2), sent(3, 3))
    assert broadcast.check(kanto.end()).verdict is Verdict.PASS


def test_what_is_said_anew_after_a_cancellation_is_due_a_hold_later(kanto: Recorded) -> None:
    kanto.publish(4.0, "e", {}, info="取消")
    kanto.publish(6.0, "e", {"301": "7"})
    kanto.final("broadcasts", sent(1, 1, 16.2), sent(3, 3, 11.0), sent(4, 4, 16.2), sent(5, 2, 16.2))
    finding = broadcast.check(kanto.end())
    assert [finding.measured[what] for what in ("early", "unwanted", "missing")] == [1, 1, 0]


def test_a_correction_replaces_the_areas(kanto: Recorded) -> None:
    kanto.publish(4.0, "e", {"800": "6-"}, info="訂正")
    kanto.final("broadcasts", sent(1, 1), sent(2, 5))
    finding = broadcast.check(kanto.end())
    assert finding.verdict is Verdict.FAIL  # company 3 is for 800 as well
    assert finding.measured["missing"] == 1
    kanto.final("broadcasts", sent(3, 3))
    assert broadcast.check(kanto.end()).verdict is Verdict.PASS


def test_once_needs_somebody_concerned(record: Record) -> None:
    run = record(broadcast={"exactly": "once"})
    run.publish(0.0, "e", KANTO)
    run.final("companies", company(1, 3, areas=["800"]))
    run.final("broadcasts")
    finding = broadcast.check(run.end())
    assert finding.verdict is Verdict.FAIL
    assert finding.why == "Broadcasts to each company concerned: never, expected exactly once."


def test_missing_in_a_run_cut_short_is_unknown(kanto: Recorded) -> None:
    kanto.event(9.0, "run.interrupted", why="Ctrl-C")
    assert broadcast.check(kanto.end()).verdict is Verdict.UNKNOWN


def test_without_the_rules_nobody_knows_to_whom_it_was_due(record: Record) -> None:
    run = record()
    run.publish(0.0, "e", KANTO)
    run.final("companies", {"company": 1, "name": "", "people": 3})
    run.final("broadcasts", sent(1, 1))
    assert broadcast.check(run.end()).verdict is Verdict.UNKNOWN


def test_broadcasts_that_were_not_read_back(record: Record) -> None:
    assert broadcast.check(record().end()).verdict is Verdict.UNKNOWN
