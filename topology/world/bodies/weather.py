"""Warnings of the weather: the body of VPWW54."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from lxml import etree

from topology.world.areas import FORECAST, Area
from topology.world.bodies import Body, Item, said
from topology.world.bodies.intensity import Quake
from topology.world.elements import Elements

#: 警報等情報要素／気象警報・注意報: the special warnings (特別警報), the warnings, and two advisories.
KINDS: Final = {
    "32": "暴風雪特別警報",
    "33": "大雨特別警報",
    "35": "暴風特別警報",
    "36": "大雪特別警報",
    "37": "波浪特別警報",
    "38": "高潮特別警報",
    "03": "大雨警報",
    "04": "洪水警報",
    "05": "暴風警報",
    "07": "波浪警報",
    "15": "強風注意報",
    "16": "波浪注意報",
}
_TYPE: Final = "気象警報・注意報（府県予報区等）"
_CODE_TYPE: Final = "気象情報／府県予報区・細分区域等"
NAMESPACE: Final = "http://xml.kishou.go.jp/jmaxml1/body/meteorology1/"
METE: Final = Elements(NAMESPACE)


def warnings(areas: Mapping[str, str], _: Quake) -> Body:
    """気象警報・注意報: what has just been issued for whole prefectures."""
    table = said(FORECAST, areas, KINDS)
    names = "・".join(area.name for area in table.values())
    items = [
        Item(KINDS[kind], kind, [table[code] for code in areas if areas[code] == kind])
        for kind in dict.fromkeys(areas.values())
    ]
    said_of = "、".join(f"{item.name}（{'・'.join(area.name for area in item.areas)}）" for item in items)
    warning = METE("Warning", *(_item(table[code], kind) for code, kind in areas.items()), type=_TYPE)
    element = METE("Body", *([warning] if areas else []))
    return Body(f"{names}気象警報・注意報", f"{said_of}を発表しました。", element, _TYPE, _CODE_TYPE, items)


def _item(area: Area, kind: str) -> etree._Element:
    return METE(
        "Item",
        METE("Kind", METE("Name", KINDS[kind]), METE("Code", kind), METE("Status", "発表")),
        METE("Area", METE("Name", area.name), METE("Code", area.code)),
        METE("ChangeStatus", "警報・注意報種別に変化有"),
        METE("FullStatus", "全域"),
        METE("EditingMark", "0"),
    )
