"""What stands of an event after all its telegrams, in whatever order they came."""

from __future__ import annotations

from itertools import permutations
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from tests.topology.service.telegrams import quake, tsunami
from topology.service.report import Report, as_json, from_row
from topology.service.rules import Warnings
from topology.service.situation import Situation, situation
from topology.service.telegram import parse

EVENT = "20260311144640"


def at(minute: int) -> str:
    return f"2026-03-11T14:{minute:02d}:00+09:00"


def after(*telegrams: bytes) -> Situation:
    """The situation after these, numbered and received in this order, a second apart."""
    return situation([Report(i, parse(body), i * 10**9) for i, body in enumerate(telegrams, 1)])


def test_areas_add_up_and_only_get_worse() -> None:
    now = after(
        quake(EVENT, {"350": "5-", "351": "4"}, at=at(48)),
        quake(EVENT, {"350": "4", "351": "5+", "352": "7"}, kind="VXSE53", at=at(54)),
    )

    assert now.areas == {"350": "5-", "351": "5+", "352": "7"}
    assert (now.since_ns, now.cancelled) == (10**9, False)


def test_a_cancellation_takes_back_all_of_its_kind_in_any_order_of_arrival() -> None:
    told = [
        quake(EVENT, {"350": "7"}, at=at(48)),
        quake(EVENT, {"351": "7"}, at=at(50)),
        quake(EVENT, info="取消", at=at(52)),
    ]

    for order in permutations(told):
        now = after(*order)
        assert (now.areas, now.since_ns, now.cancelled) == ({}, None, True)


def test_what_is_said_after_a_cancellation_stands_and_the_hold_begins_anew() -> None:
    now = after(
        quake(EVENT, {"350": "7"}, at=at(48)),
        quake(EVENT, info="取消", at=at(50)),
        quake(EVENT, {"351": "5-"}, at=at(52)),
    )

    assert (now.areas, now.since_ns, now.cancelled) == ({"351": "5-"}, 3 * 10**9, False)


def test_serial_numbers_decide_within_a_minute() -> None:
    now = after(
        quake(EVENT, {"350": "7"}, serial="1", at=at(48)),
        quake(EVENT, info="取消", serial="2", at=at(48)),
        quake(EVENT, {"351": "6-"}, serial="3", at=at(48)),
    )

    assert now.areas == {"351": "6-"}


def test_a_tsunami_advisory_taken_back_does_not_undo_the_earthquake() -> None:
    now = after(
        quake(EVENT, {"350": "7"}, at=at(48)),
        tsunami(EVENT, "62", at=at(49)),
        tsunami(EVENT, info="取消", at=at(50)),
    )

    assert (now.areas, now.warned, now.cancelled) == ({"350": "7"}, Warnings(), False)


def test_a_correction_takes_back_a_coast_and_adds_another() -> None:
    now = after(tsunami(EVENT, "51", "62", at=at(49)), tsunami(EVENT, "62", "51", info="訂正", at=at(50)))
    assert now.warned.coasts == {"301"}


def test_the_latest_word_on_the_tsunami_counts_even_if_it_came_first() -> None:
    lifted_first = after(tsunami(EVENT, "50", at=at(59)), tsunami(EVENT, "51", at=at(49)))
    warned = after(tsunami(EVENT, "62", at=at(49)), tsunami(EVENT, "51", at=at(59)))

    assert lifted_first.warned == Warnings()
    assert warned.warned == Warnings(tsunami=True, coasts=frozenset({"300"}))


def test_a_correction_replaces_what_was_said_but_not_when() -> None:
    now = after(quake(EVENT, {"350": "7"}, at=at(48)), quake(EVENT, {"360": "5-"}, info="訂正", at=at(50)))

    assert (now.areas, now.since_ns) == ({"360": "5-"}, 10**9)


def test_training_and_tests_count_for_nothing() -> None:
    now = after(quake(EVENT, {"350": "7"}, status="訓練"), quake(EVENT, {"350": "7"}, status="試験"))

    assert now == Situation({}, Warnings(), None, False)


TELEGRAMS = st.builds(
    quake,
    st.just(EVENT),
    st.dictionaries(
        st.sampled_from(["350", "351", "352"]), st.sampled_from(["4", "5-", "6+", "7"]), min_size=1
    ),
    kind=st.sampled_from(["VXSE51", "VXSE53"]),
    info=st.sampled_from(["発表", "発表", "訂正", "取消"]),
    status=st.sampled_from(["通常", "通常", "訓練"]),
    serial=st.sampled_from(["", "1", "2"]),
    at=st.integers(40, 59).map(at),
)


@given(st.lists(TELEGRAMS, max_size=6, unique=True), st.randoms())
def test_the_order_of_arrival_changes_nothing_that_is_told(telegrams: list[bytes], random: Random) -> None:
    reports = [Report(i, parse(body), i * 10**9) for i, body in enumerate(telegrams)]
    shuffled = list(reports)
    random.shuffle(shuffled)

    assert situation(shuffled) == situation(reports)


def test_a_report_travels_unchanged() -> None:
    report = Report(7, parse(quake(EVENT, {"350": "7"})), 123)

    assert from_row(as_json(report)) == report
