"""Telegrams as the Japan Meteorological Agency writes them (気象庁防災情報XML), built from what is to be said.

    VXSE51  震度速報                     first intensities, within two minutes
    VXSE53  震源・震度に関する情報       hypocentre and intensities
    VTSE41  津波警報・注意報・予報a      tsunami warnings
    VPWW54  気象警報・注意報（Ｈ２７）   weather warnings, special ones among them

They follow the agency's schemas and its sample telegrams. Left out is what nobody here reads: municipalities and
stations below an area, tide gauges, forecasts in steps of time, and the free prose of comments.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from lxml import etree

from topology.world.bodies import Body, intensity, tsunami, weather
from topology.world.bodies.intensity import SEIS, Quake
from topology.world.bodies.weather import METE
from topology.world.elements import Elements

JST: Final = timezone(timedelta(hours=9))
INFOS: Final = ("発表", "訂正", "取消")
STATUSES: Final = ("通常", "訓練", "試験")

_JMX: Final = "http://xml.kishou.go.jp/jmaxml1/"
_HEAD: Final = f"{_JMX}informationBasis1/"
_report = Elements(_JMX, jmx=_JMX)
_head = Elements(_HEAD)


@dataclass(frozen=True)
class Kind:
    """What all telegrams of a kind have in common, what makes their body, and how they are taken back."""

    title: str
    info_kind: str
    version: str
    body: Callable[[Mapping[str, str], Quake], Body]
    retraction: Callable[[str], etree._Element] = lambda text: SEIS("Body", SEIS("Text", text))
    #: TargetDateTime is when the earth shook, not when this was reported.
    at_onset: bool = False


KINDS: Final = {
    "VXSE51": Kind("震度速報", "震度速報", "1.0_1", intensity.first_report, at_onset=True),
    "VXSE53": Kind("震源・震度に関する情報", "地震情報", "1.0_1", intensity.full_report),
    "VTSE41": Kind("津波警報・注意報・予報a", "津波警報・注意報・予報", "1.0_1", tsunami.warnings),
    "VPWW54": Kind(
        "気象警報・注意報（Ｈ２７）",
        "気象警報・注意報",
        "1.2_0",
        weather.warnings,
        lambda text: METE("Body", METE("Notice", text)),
    ),
}


def build(
    kind: str,
    event_id: str,
    areas: Mapping[str, str],
    *,
    reported: datetime,
    info: str = "発表",
    status: str = "通常",
    serial: int | None = None,
    target: datetime | None = None,
    quake: Quake | None = None,
) -> bytes:
    """One telegram as UTF-8 XML.

    `areas`, by area code: for VXSE51 and VXSE53 the greatest intensity (1 2 3 4 5- 5+ 6- 6+ 7) in 地震情報／細分区域;
    for VTSE41 the code of what is said of a coast (津波予報区), see `tsunami.KINDS`; for VPWW54 the code of what is
    said of a prefecture (府県予報区), see `weather.KINDS`. A cancellation (取消) may leave them empty.
    `event_id`: the earthquake, as the second in which it began, YYYYMMDDhhmmss; weather telegrams have none ("").
    `quake`: where it was; by default that of 2011-03-11, at the time that `event_id` says.

    Raises ValueError that names the word, the code or the area that telegrams do not know.
    """
    known = KINDS.get(kind)
    if known is None:
        raise ValueError(f"{kind}: not one of {', '.join(KINDS)}")
    if info not in INFOS or status not in STATUSES:
        raise ValueError(
            f"{info}, {status}: expected one of {'・'.join(INFOS)}, and one of {'・'.join(STATUSES)}"
        )
    if reported.tzinfo is None:
        raise ValueError("reported: expected a time with its zone")
    if not areas and info != "取消":
        raise ValueError(f"{kind} {info}: no areas")
    onset = _onset(event_id) or reported
    body = known.body(areas, quake or Quake(at=onset))
    if info == "取消":
        taken_back = f"{body.title}を取り消します。"
        body = Body(body.title, taken_back, known.retraction(f"先ほどの、{taken_back}"))
    shaken = target or (onset if known.at_onset else reported)
    control = _report(
        "Control",
        _report("Title", known.title),
        _report("DateTime", reported.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")),
        _report("Status", status),
        _report("EditorialOffice", "気象庁本庁"),
        _report("PublishingOffice", "気象庁"),
    )
    head = _head(
        "Head",
        _head("Title", body.title),
        _head("ReportDateTime", _jst(reported)),
        _head("TargetDateTime", _jst(shaken)),
        _head("EventID", event_id),
        _head("InfoType", info),
        _head("Serial", "" if serial is None else str(serial)),
        _head("InfoKind", known.info_kind),
        _head("InfoKindVersion", known.version),
        _headline(body),
    )
    report = _report("Report", control, head, body.element)
    return etree.tostring(report, encoding="UTF-8", xml_declaration=True, pretty_print=True)


def _headline(body: Body) -> etree._Element:
    headline = _head("Headline", _head("Text", body.headline))
    if body.items:
        information = _head("Information", type=body.information)
        for item in body.items:
            kind = _head("Kind", _head("Name", item.name), *([_head("Code", item.code)] if item.code else []))
            areas = [_head("Area", _head("Name", area.name), _head("Code", area.code)) for area in item.areas]
            information.append(_head("Item", kind, _head("Areas", *areas, codeType=body.code_type)))
        headline.append(information)
    return headline


def _onset(event_id: str) -> datetime | None:
    """The minute in which an earthquake began, from its name."""
    try:
        return datetime.strptime(event_id, "%Y%m%d%H%M%S").replace(second=0, tzinfo=JST)
    except ValueError:
        return None


def _jst(time: datetime) -> str:
    return time.astimezone(JST).isoformat(timespec="seconds")
