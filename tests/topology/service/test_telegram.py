"""What the service reads from a telegram, and what it refuses."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.topology.service.telegrams import quake, tsunami, weather
from topology.service.telegram import JST, NotATelegram, parse


def test_an_earthquake_tells_its_event_and_the_intensity_of_each_area() -> None:
    telegram = parse(quake("20260311144640", {"350": "6+", "351": "5-"}, serial="2"))

    assert (telegram.kind, telegram.event, telegram.info, telegram.status) == (
        "VXSE51",
        "20260311144640",
        "発表",
        "通常",
    )
    assert telegram.areas == {"350": "6+", "351": "5-"}
    assert telegram.serial == 2
    assert telegram.reported == datetime(2026, 3, 11, 14, 48, tzinfo=JST)
    assert not telegram.tsunami
    assert not telegram.special


def test_a_cancellation_names_its_event_and_no_areas() -> None:
    telegram = parse(quake("20260311144640", info="取消"))

    assert (telegram.info, telegram.areas) == ("取消", {})


@pytest.mark.parametrize(
    ("codes", "warned"),
    [
        (("51",), True),
        (("62", "52"), True),
        (("53",), True),
        (("62",), False),
        (("50", "60", "71", "00"), False),
    ],
)
def test_only_a_tsunami_warning_in_force_counts_not_an_advisory_nor_one_lifted(
    codes: tuple[str, ...], warned: bool
) -> None:
    assert parse(tsunami("20260311144640", *codes)).tsunami is warned


@pytest.mark.parametrize(
    ("telegram", "special"),
    [
        (weather("暴風特別警報"), True),
        (weather("暴風特別警報", status="継続"), True),
        (weather("暴風特別警報", status="解除"), False),
        (weather("波浪警報"), False),
        (weather("波浪警報", later="波浪特別警報"), False),
    ],
)
def test_only_a_special_warning_in_force_counts_not_one_that_may_come(telegram: bytes, special: bool) -> None:
    assert parse(telegram).special is special


def test_warnings_name_the_places_where_they_are_in_force() -> None:
    assert parse(tsunami("20260311144640", "62", "52", "51")).areas == {"301": "52", "302": "51"}
    assert parse(weather("暴風特別警報")).areas == {"140000": "暴風特別警報"}
    assert parse(weather("波浪警報")).areas == {}


def test_the_weather_of_one_office_on_one_day_is_one_event() -> None:
    today = [
        parse(weather("暴風特別警報", at=f"2026-09-01T{hour}:00:00+09:00")).event for hour in ("00", "23")
    ]
    tomorrow = parse(weather("暴風特別警報", at="2026-09-02T00:00:00+09:00")).event

    assert today[0] == today[1] != tomorrow


def test_a_tsunami_of_two_earthquakes_belongs_to_the_first_named() -> None:
    assert parse(tsunami("20260311144640 20260311151500", "51")).event == "20260311144640"


def test_other_kinds_are_read_and_kept_apart() -> None:
    assert (
        parse(quake("1", {"350": "7"}).replace("震度速報".encode(), "緊急地震速報".encode())).kind == "other"
    )


ENTITY = (
    b'<?xml version="1.0"?><!DOCTYPE Report [<!ENTITY x SYSTEM "file:///etc/passwd">]><Report>&x;</Report>'
)
BOMB = b'<!DOCTYPE Report [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><Report>&b;</Report>'


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "not XML"),
        ("地震です".encode(), "not XML"),
        (quake("1", {"350": "7"})[:-40], "not XML"),
        (b"<Weather/>", "root is Weather"),
        (b"<Report/>", "Control/Title is missing"),
        (quake("1").replace("通常".encode(), b""), "Status is missing"),
        (quake("1", at="yesterday"), "is not a time"),
        (quake("1" * 3000), "EventID is too long"),
        (ENTITY, "document type"),
        (BOMB, "document type"),
        (b"<Report>" + b" " * 5_000_000 + b"</Report>", "too many"),
    ],
)
def test_what_is_no_telegram_is_refused_with_the_reason(body: bytes, problem: str) -> None:
    with pytest.raises(NotATelegram, match=problem):
        parse(body)


@given(st.binary(max_size=200), st.integers(0, 900), st.integers(0, 60))
def test_no_damage_makes_the_parser_fail_otherwise(noise: bytes, at: int, length: int) -> None:
    whole = quake("20260311144640", {"350": "7"})
    with suppress(NotATelegram):
        parse(whole[:at] + noise + whole[at + length :])
