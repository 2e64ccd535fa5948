from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from harness import events
from harness.events import Event
from tests.refusals import refusal, swapped
from topology.service.telegram import parse
from topology.world import telegrams
from topology.world.bodies import tsunami, weather
from topology.world.bodies.intensity import INTENSITIES

ONE = """\
quake:
  title: {en: a quake, ja: 地震}
  kind: VXSE51
  occurs: 2026-01-15T14:46:40+09:00
  areas: {"350": "7", 360: 5+}
"""


def test_an_event_and_its_telegrams(tmp_path: Path) -> None:
    (tmp_path / "events.yaml").write_text(ONE)
    quake = events.read(tmp_path / "events.yaml")["quake"]
    assert quake.id == "20260115144640"
    assert quake.status == "通常"
    assert quake.telegram(1) == {
        "kind": "VXSE51",
        "event_id": "20260115144640",
        "info": "発表",
        "status": "通常",
        "serial": 1,
        "reported": "2026-01-15T14:48:40+09:00",
        "areas": {"350": "7", "360": "5+"},
    }
    second = quake.telegram(2, "取消", "訓練")
    assert (second["info"], second["status"], second["serial"]) == ("取消", "訓練", 2)
    assert second["event_id"] == quake.id
    assert second["reported"] == "2026-01-15T14:49:40+09:00"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "VXSE51",
            "VXSE15",
            'e.yaml:3:9: found "VXSE15", expected one of VXSE51, VXSE53, VTSE41, VPWW54; did',
        ),
        ('"7"', '"8"', 'e.yaml:5:18: found "8", expected one of 1, 2, 3, 4, 5-, 5+, 6-, 6+, 7'),
        ('"350"', '"35"', 'e.yaml:5:11: found "35", expected a code of 地震情報／細分区域 such as'),
        (
            "VXSE51",
            "VTSE41",
            'e.yaml:5:11: found "350", expected a code of 津波予報区 such as 200 (青森県日本海沿岸)',
        ),
        ('"350": "7", 360: 5+', "", "e.yaml:5:10: found no areas, expected {code: intensity}"),
        ("+09:00", "", 'e.yaml:4:11: found "2026-01-15T14:46:40", expected a time with its zone'),
        ("2026-01", "2026-13", "expected a time with its zone"),
        (
            "kind",
            "kid",
            'found "kid", expected one of title, kind, status, occurs, areas, corrected; did you mean "kind"?',
        ),
    ],
)
def test_what_is_no_event(tmp_path: Path, old: str, new: str, message: str) -> None:
    (tmp_path / "e.yaml").write_text(swapped(ONE, old, new))
    assert message in refusal(lambda: events.read(tmp_path / "e.yaml"))


def test_the_events_that_come_with_the_harness() -> None:
    supplied = events.read(events.SUPPLIED)
    assert supplied["kanto-shindo7"].areas["350"] == "7"
    assert supplied["kanto-training"].status == "訓練"
    named = [event.id for event in supplied.values() if event.kind != "VPWW54"]
    assert len(set(named)) == len(named)
    assert {event.kind for event in supplied.values()} >= {"VXSE51", "VTSE41", "VPWW54"}


def test_what_can_be_said_is_what_the_agency_can_say() -> None:
    assert set(events.KINDS) == set(telegrams.KINDS)
    assert set(events.KINDS["VXSE51"].words) == set(INTENSITIES)
    assert set(events.KINDS["VTSE41"].words) == set(tsunami.KINDS)
    assert set(events.KINDS["VPWW54"].words) == set(weather.KINDS)


@pytest.mark.parametrize("event", events.read(events.SUPPLIED).values(), ids=lambda event: str(event.name))
@pytest.mark.parametrize("info", ["発表", "訂正", "取消"])
def test_the_agency_can_say_it(event: Event, info: str) -> None:
    xml = said(event, info)
    assert event.id.encode() in xml


def test_the_service_understands_it() -> None:
    supplied = events.read(events.SUPPLIED)
    quake, tsunami, weather = (
        parse(said(supplied[name])) for name in ("kanto-shindo7", "boso-tsunami", "kanagawa-special")
    )
    assert (quake.areas, quake.tsunami, quake.special) == (supplied["kanto-shindo7"].areas, False, False)
    assert (tsunami.event, tsunami.tsunami, tsunami.special) == ("20260116051230", True, False)
    assert tsunami.areas == {"310": "52", "300": "51", "330": "51"}
    assert parse(said(supplied["boso-tsunami"], "訂正")).areas == {"310": "52", "300": "51", "312": "51"}
    assert weather.areas == {"140000": "大雨特別警報"}
    assert (weather.event, weather.tsunami, weather.special) == ("VPWW54-気象庁本庁-20260908", False, True)


def said(event: Event, info: str = "") -> bytes:
    told = event.telegram(1, info)
    assert isinstance(told["reported"], str)
    return telegrams.build(**{**told, "reported": datetime.fromisoformat(told["reported"])})  # type: ignore[arg-type]
