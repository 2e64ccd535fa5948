"""How strongly the earth shook where: the bodies of VXSE51 and VXSE53."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from lxml import etree

from topology.world.areas import PREFECTURES, SEISMIC, Area
from topology.world.bodies import Body, Item, said
from topology.world.elements import Elements

#: Intensities (震度) from the greatest down, and how a headline writes them.
INTENSITIES: Final = {
    "7": "震度７",
    "6+": "震度６強",
    "6-": "震度６弱",
    "5+": "震度５強",
    "5-": "震度５弱",
    "4": "震度４",
    "3": "震度３",
    "2": "震度２",
    "1": "震度１",
}
NAMESPACE: Final = "http://xml.kishou.go.jp/jmaxml1/body/seismology1/"
BASIS: Final = "http://xml.kishou.go.jp/jmaxml1/elementBasis1/"
#: Elements of this namespace, and of the one that it borrows from.
SEIS: Final = Elements(NAMESPACE, jmx_eb=BASIS)
BASE: Final = Elements(BASIS, "jmx_eb")
_CODE_TYPE: Final = "地震情報／細分区域"
_WIDE: Final = str.maketrans("0123456789.", "０１２３４５６７８９．")


@dataclass(frozen=True)
class Quake:
    """An earthquake. By default where the agency's telegrams put that of 2011-03-11. `code` is of 震央地名."""

    at: datetime
    name: str = "三陸沖"
    code: str = "288"
    latitude: float = 38.0
    longitude: float = 142.9
    depth_km: int = 10
    magnitude: float = 9.0


def first_report(areas: Mapping[str, str], quake: Quake) -> Body:
    """震度速報: intensities alone."""
    felt = _felt(areas)
    text = f"{_moment(quake)}、地震による強い揺れを感じました。震度３以上が観測された地域をお知らせします。"
    return Body("震度速報", text, SEIS("Body", *_observed(felt)), "震度速報", _CODE_TYPE, _items(felt))


def full_report(areas: Mapping[str, str], quake: Quake) -> Body:
    """震源・震度に関する情報: where it was, and intensities."""
    felt = _felt(areas)
    element = SEIS("Body", earthquake(quake), *_observed(felt))
    information = "震源・震度に関する情報（細分区域）"
    text = f"{_moment(quake)}、地震がありました。"
    return Body("震源・震度情報", text, element, information, _CODE_TYPE, _items(felt))


def earthquake(quake: Quake) -> etree._Element:
    """Where and when it was, and how great."""
    north, east, metres = quake.latitude, quake.longitude, quake.depth_km * 1000
    where = f"北緯{north:.1f}度　東経{east:.1f}度　深さ　{quake.depth_km}ｋｍ".translate(_WIDE)
    coordinate = BASE("Coordinate", f"{north:+.1f}{east:+.1f}-{metres}/", description=where)
    magnitude = f"{quake.magnitude:.1f}"
    return SEIS(
        "Earthquake",
        SEIS("OriginTime", quake.at.isoformat(timespec="seconds")),
        SEIS("ArrivalTime", quake.at.isoformat(timespec="seconds")),
        SEIS(
            "Hypocenter",
            SEIS("Area", SEIS("Name", quake.name), SEIS("Code", quake.code, type="震央地名"), coordinate),
        ),
        BASE("Magnitude", magnitude, type="Mj", description=f"Ｍ{magnitude.translate(_WIDE)}"),
    )


def _felt(areas: Mapping[str, str]) -> dict[Area, str]:
    """Areas and their intensities, the strongest first."""
    table = said(SEISMIC, areas, INTENSITIES)
    ranked = sorted(areas, key=lambda code: list(INTENSITIES).index(areas[code]))
    return {table[code]: areas[code] for code in ranked}


def _items(felt: Mapping[Area, str]) -> list[Item]:
    levels = dict.fromkeys(felt.values())
    return [Item(INTENSITIES[level], "", [area for area in felt if felt[area] == level]) for level in levels]


def _observed(felt: Mapping[Area, str]) -> list[etree._Element]:
    """Prefectures and the areas in them, the strongest first; nothing if nothing was felt."""
    if not felt:
        return []
    observation = SEIS(
        "Observation",
        SEIS(
            "CodeDefine",
            SEIS("Type", "地震情報／都道府県等", xpath="Pref/Code"),
            SEIS("Type", _CODE_TYPE, xpath="Pref/Area/Code"),
        ),
        SEIS("MaxInt", next(iter(felt.values()))),
    )
    for prefecture in dict.fromkeys(area.prefecture for area in felt):
        inside = {area: most for area, most in felt.items() if area.prefecture == prefecture}
        observation.append(
            SEIS(
                "Pref",
                SEIS("Name", PREFECTURES[prefecture]),
                SEIS("Code", prefecture),
                SEIS("MaxInt", next(iter(inside.values()))),
                *(
                    SEIS("Area", SEIS("Name", area.name), SEIS("Code", area.code), SEIS("MaxInt", most))
                    for area, most in inside.items()
                ),
            )
        )
    return [SEIS("Intensity", observation)]


def _moment(quake: Quake) -> str:
    return f"{quake.at.day}日{quake.at.hour}時{quake.at.minute}分ころ".translate(_WIDE)
