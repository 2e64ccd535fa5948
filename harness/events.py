"""Events that a scenario can publish: what the agency will say of them, in its own codes and words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from harness.rundir import Json
from topology.document import BadInput, Fields, Value, load, nearest
from topology.map import Title
from topology.world.areas import COASTS, FORECAST, SEISMIC, Area

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

CORRECTION: Final = "訂正"
INTENSITIES: Final = ("1", "2", "3", "4", "5-", "5+", "6-", "6+", "7")


@dataclass(frozen=True)
class Kind:
    """A kind of telegram: which areas it speaks of, what it can say of them, and how soon it is issued."""

    table: str  # the agency's name of the table of areas
    areas: Mapping[str, Area]
    words: tuple[str, ...]
    says: str
    issued_after: timedelta


#: Telegrams that the service knows: first intensities, hypocentre and intensities, tsunami, weather. On 2011-03-11
#: those about the quake of 14:46 were issued at 14:48 (VXSE51), 14:49 (VTSE41) and 14:54 (VXSE53).
KINDS: Final = {
    "VXSE51": Kind("地震情報／細分区域", SEISMIC, INTENSITIES, "intensity", timedelta(minutes=2)),
    "VXSE53": Kind("地震情報／細分区域", SEISMIC, INTENSITIES, "intensity", timedelta(minutes=8)),
    "VTSE41": Kind(
        "津波予報区", COASTS, ("53", "52", "51", "62", "71", "72"), "code of a warning", timedelta(minutes=3)
    ),
    "VPWW54": Kind(
        "府県予報区",
        FORECAST,
        ("32", "33", "35", "36", "37", "38", "03", "04", "05", "07", "15", "16"),
        "code of a warning",
        timedelta(0),
    ),
}


@dataclass(frozen=True)
class Event:
    """One event. `areas`: the agency's code of an area -> what is said of it: an intensity, or the code of a warning.

    `corrected`: what a correction says in its place; without it a correction says the same. `occurs`: when the earth
    shook, or when a warning of the weather was issued.
    """

    name: str
    title: Title
    kind: str
    status: str
    occurs: datetime
    areas: Mapping[str, str]
    corrected: Mapping[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """EventID, shared by every telegram about it: the second in which it began. The weather has none."""
        return "" if self.kind == "VPWW54" else self.occurs.strftime("%Y%m%d%H%M%S")

    def telegram(self, serial: int, info: str = "", status: str = "") -> dict[str, Json]:
        """The `serial`-th telegram about it, as the arguments of the telegram builder."""
        issued = self.occurs + KINDS[self.kind].issued_after
        return {
            "kind": self.kind,
            "event_id": self.id,
            "info": info or "発表",
            "status": status or self.status,
            "serial": serial,
            "reported": (issued + timedelta(minutes=serial - 1)).isoformat(),
            "areas": dict((self.corrected if info == CORRECTION else {}) or self.areas),
        }


def read(path: Path) -> dict[str, Event]:
    """The events of a file, by name. Raises BadInput."""
    fields = load(path, "events by name")
    return {name: _event(name, value.as_fields("an event")) for name, value in fields}


def _event(name: str, fields: Fields) -> Event:
    fields.only("title", "kind", "status", "occurs", "areas", "corrected")
    title = fields.need("title", "title: {en: …, ja: …}").as_fields("title: {en: …, ja: …}")
    title.only("en", "ja")
    en, ja = title.need("en", "the English title"), title.need("ja", "the Japanese title")
    status = fields.get("status")
    kind = fields.need("kind", "the kind of telegram").as_word(KINDS)
    corrected = fields.get("corrected")
    return Event(
        name=name,
        title=Title(en.as_text(), ja.as_text()),
        kind=kind,
        status=STATUSES[status.as_word(STATUSES)] if status else "通常",
        occurs=_time(fields.need("occurs", "when it occurs")),
        areas=_areas(KINDS[kind], fields.need("areas", f"areas: {_shape(KINDS[kind])}")),
        corrected=_areas(KINDS[kind], corrected) if corrected is not None else {},
    )


def _areas(kind: Kind, value: Value) -> dict[str, str]:
    areas = value.as_fields(_shape(kind))
    if not areas.values:
        raise BadInput(areas.place, "no areas", _shape(kind))
    return {_code(kind, areas, code): said.as_word(kind.words) for code, said in areas}


def _shape(kind: Kind) -> str:
    return f"{{code: {kind.says}}}"


def _time(value: Value) -> datetime:
    expected = "a time with its zone, such as 2026-01-15T14:46:40+09:00"
    try:
        time = datetime.fromisoformat(value.as_text(expected))
    except ValueError:
        raise value.bad(expected) from None
    if time.tzinfo is None:
        raise value.bad(expected)
    return time


def _code(kind: Kind, areas: Fields, code: str) -> str:
    """The code of an area that this kind of telegram speaks of."""
    if code not in kind.areas:
        some = ", ".join(f"{area.code} ({area.name})" for area in list(kind.areas.values())[:3])
        raise areas.bad_key(code, f"a code of {kind.table} such as {some}", nearest(code, kind.areas))
    return code
