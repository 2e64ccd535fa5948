"""Faults as the bands of the picture: from whatever was recorded of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.rundir import Event, Json
from reports.faults import faults, publications, selector
from reports.reading import Record


def told(record: Record, *events: tuple[float, str, dict[str, Json]]) -> Record:
    """The record with these events only; times in seconds of the timeline."""
    start_ns = record.origin_ns
    rows = [
        Event(start_ns + round(at_s * 1e9), kind, {"fault": "1-cut", **data}) for at_s, kind, data in events
    ]
    return replace(record, events=rows, verdict=None)


def test_the_sample_has_one(record: Record) -> None:
    (fault,) = faults(record)
    assert (fault.id, fault.verb, fault.target, fault.from_s) == ("1-lose", "lose", "zone singapore.a", 30.0)
    assert fault.until_s == pytest.approx(80.2)
    assert (fault.effect, fault.restored) == ("proven", True)
    assert len(fault.nodes) == 8


def test_a_fault_that_was_never_taken_back_has_no_end(record: Record) -> None:
    (fault,) = faults(told(record, (1, "fault.injecting", {"verb": "cut"}), (2, "fault.injected", {})))
    assert (fault.from_s, fault.until_s, fault.effect) == (2.0, None, "unproven")


def test_a_fault_in_the_midst_of_being_injected_is_told(record: Record) -> None:
    (fault,) = faults(told(record, (1, "fault.injecting", {"verb": "cut", "target": "a | b"})))
    assert (fault.from_s, fault.target) == (1.0, "a | b")


def test_without_events_the_verdict_tells(record: Record) -> None:
    rows: list[Json] = [
        {"verb": "lose", "target": {"zone": "singapore.a"}, "at_s": 20.0, "effect": "proven"},
        None,
    ]
    (fault,) = faults(replace(record, events=[], verdict={"faults": rows}))
    assert (fault.verb, fault.target, fault.from_s, fault.until_s) == ("lose", "singapore.a", 20.0, None)


def test_the_telegram_is_a_mark(record: Record) -> None:
    (telegram,) = publications(record)
    assert (telegram.what, telegram.info, telegram.status) == ("kanto-shindo7", "発表", "通常")


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (None, ""),
        ("zone singapore.a", "zone singapore.a"),
        ({"zone": "singapore.a"}, "singapore.a"),
        ({"role": "database", "is": "primary"}, "database primary"),
        ({"from": {"zone": "a"}, "to": ["b", "c"]}, "from a to b, c"),
    ],
)
def test_selectors_read_as_people_say_them(target: Json, said: str) -> None:
    assert selector(target) == said
