from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.duration import Duration, NotADuration


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("0s", 0),
        ("500ms", 0.5),
        ("30s", 30),
        ("2.5s", 2.5),
        ("30min", 1800),
        ("1.5h", 5400),
        (" 12 h ", 43200),
    ],
)
def test_a_number_and_a_unit(written: str, seconds: float) -> None:
    assert Duration.parse(written).s == seconds


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("30", "30s"),
        ("30m", "30min"),
        ("30sec", "30s"),
        ("5 Minutes", "5min"),
        ("1hr", "1h"),
        ("3parsecs", None),
        ("5d", None),
        ("-5s", None),
        ("s", None),
        ("", None),
        ("1h30min", None),
        ("0.1ms", None),
        ("١٢s", None),
    ],
)
def test_what_is_no_duration_and_what_was_probably_meant(written: str, meant: str | None) -> None:
    with pytest.raises(NotADuration) as caught:
        Duration.parse(written)
    assert caught.value.nearest == meant
    assert meant is None or Duration.parse(meant)


@pytest.mark.parametrize(
    ("ms", "written"),
    [
        (0, "0s"),
        (1, "1ms"),
        (1500, "1500ms"),
        (60_000, "1min"),
        (90_000, "90s"),
        (5_400_000, "90min"),
        (7_200_000, "2h"),
    ],
)
def test_the_shortest_way_to_write_it(ms: int, written: str) -> None:
    assert str(Duration(ms)) == written


@pytest.mark.parametrize("written", ["120s", "0.5h", "1000ms", "0min"])
def test_what_somebody_wrote_is_told_as_they_wrote_it(written: str) -> None:
    assert str(Duration.parse(f" {written}\n")) == written
    assert Duration.parse("120s") == Duration.parse("2min") == Duration(120_000)
    assert str(Duration.parse("120s") + Duration(1000)) == "121s"


@given(st.integers(0, 10**12))
def test_what_is_written_is_read_back_the_same(ms: int) -> None:
    assert Duration.parse(str(Duration(ms))) == Duration(ms)


@given(st.floats(0, 10**6))
def test_seconds_to_the_nearest_millisecond(seconds: float) -> None:
    assert abs(Duration.of(seconds).s - seconds) <= 0.0005


@given(st.text(st.sampled_from("0123456789.smhin -+e"), max_size=12))
def test_any_text_is_a_duration_or_is_refused(text: str) -> None:
    try:
        duration = Duration.parse(text)
    except NotADuration:
        return
    assert duration.ms >= 0


def test_no_duration_is_less_than_nothing() -> None:
    with pytest.raises(ValueError, match="less than nothing"):
        Duration(-1)


def test_durations_add_up_and_compare() -> None:
    assert Duration.parse("30s") + Duration.parse("500ms") == Duration(30_500)
    assert Duration.parse("59s") < Duration.parse("1min")
