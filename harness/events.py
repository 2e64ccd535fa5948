"""Events that a scenario can publish: what the agency will say of them, in its own codes and words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from harness.rundir import Json
from topology.document import Fields, Value, load
from topology.map import Title

FILE: Final = "events.yaml"
#: The events that come with the harness.
SUPPLIED: Final = Path(__file__).parent.parent / "scenarios" / FILE

#: What a scenario writes -> InfoType and Status of a telegram. The agency's own words are understood too.
INFOS: Final = {
    "issued": "発表",
    "corrected": "訂正",
    "cancelled": "取消",
    "発表": "発表",
    "訂正": "訂正",
    "取消": "取消",
}
STATUSES: Final = {
    "normal": "通常",
    "training": "訓練",
    "test": "試験",
    "通常": "通常",
    "訓練": "訓練",
    "試験": "試験",
}

#: Telegrams that the service knows: first intensities, hypocentre and intensities, tsunami, weather.
KINDS: Final = ("VXSE51", "VXSE53", "VTSE41", "VPWW54")
INTENSITIES: Final = ("1", "2", "3", "4", "5-", "5+", "6-", "6+", "7")

#: The first 震度速報 of 2011-03-11 was issued two minutes after the quake of 14:46.
_FIRST_REPORT: Final = timedelta(minutes=2)


@dataclass(frozen=True)
class Event:
    """One event. `areas`: the agency's code of an area -> what is said of it, for earthquakes the intensity."""

    name: str
    title: Title
    kind: str
    status: str
    occurs: datetime
    areas: Mapping[str, str]

    @property
    def id(self) -> str:
        """EventID, shared by every telegram about it: the second in which it began. The weather has none."""
        return "" if self.kind == "VPWW54" else self.occurs.strftime("%Y%m%d%H%M%S")

    def telegram(self, serial: int, info: str = "", status: str = "") -> dict[str, Json]:
        """The `serial`-th telegram about it, as the arguments of the telegram builder."""
        return {
            "kind": self.kind,
            "event_id": self.id,
            "info": info or "発表",
            "status": status or self.status,
            "serial": serial,
            "reported": (self.occurs + _FIRST_REPORT + timedelta(minutes=serial - 1)).isoformat(),
            "areas": dict(self.areas),
        }


def read(path: Path) -> dict[str, Event]:
    """The events of a file, by name. Raises BadInput."""
    fields = load(path, "events by name")
    return {name: _event(name, value.as_fields("an event")) for name, value in fields}


def _event(name: str, fields: Fields) -> Event:
    fields.only("title", "kind", "status", "occurs", "areas")
    title = fields.need("title", "title: {en: …, ja: …}").as_fields("title: {en: …, ja: …}")
    title.only("en", "ja")
    en, ja = title.need("en", "the English title"), title.need("ja", "the Japanese title")
    status = fields.get("status")
    kind = fields.need("kind", "the kind of telegram").as_word(KINDS)
    areas = fields.need("areas", "areas: {code: intensity}").as_fields("areas: {code: intensity}")
    return Event(
        name=name,
        title=Title(en.as_text(), ja.as_text()),
        kind=kind,
        status=STATUSES[status.as_word(STATUSES)] if status else "通常",
        occurs=_time(fields.need("occurs", "when it occurs")),
        areas={_code(areas, code): _said(kind, value) for code, value in areas},
    )


def _time(value: Value) -> datetime:
    expected = "a time with its zone, such as 2026-01-15T14:46:40+09:00"
    try:
        time = datetime.fromisoformat(value.as_text(expected))
    except ValueError:
        raise value.bad(expected) from None
    if time.tzinfo is None:
        raise value.bad(expected)
    return time


def _code(areas: Fields, code: str) -> str:
    """Three digits, or six for the prefectures of weather telegrams."""
    if not (len(code) in (3, 6) and code.isascii() and code.isdigit()):
        raise areas.bad_key(code, "the digits of an area's code")
    return code


def _said(kind: str, value: Value) -> str:
    """What is said of an area: its intensity in an earthquake, else the agency's code for the warning."""
    return value.as_word(INTENSITIES) if kind.startswith("VXSE") else value.as_text("the code of a warning")
