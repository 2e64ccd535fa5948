"""What is said of coasts after an earthquake: the body of VTSE41."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from lxml import etree

from topology.world.areas import COASTS, Area
from topology.world.bodies import Body, Item, said
from topology.world.bodies.intensity import BASE, SEIS, Quake, earthquake

#: 警報等情報要素／津波警報・注意報・予報, from the worst down.
KINDS: Final = {
    "53": "大津波警報：発表",
    "52": "大津波警報",
    "51": "津波警報",
    "62": "津波注意報",
    "71": "津波予報（若干の海面変動）",
    "72": "津波予報（若干の海面変動）",
}
#: Those that a headline names, as it names them: a great warning just issued is a great warning.
_HEADLINES: Final = {"53": "52", "52": "52", "51": "51", "62": "62"}
#: How high the sea will rise, in words: no figure is given while the earthquake's size is unknown.
_HEIGHTS: Final = {"53": "巨大", "52": "巨大", "51": "高い"}
_CODE_TYPE: Final = "津波予報区"
_KIND_TYPE: Final = "警報等情報要素／津波警報・注意報・予報"


def warnings(areas: Mapping[str, str], quake: Quake) -> Body:
    """津波警報・注意報・予報: for every coast what is in force there now."""
    table = said(COASTS, areas, KINDS)
    coasts = {
        table[code]: areas[code] for code in sorted(areas, key=lambda code: list(KINDS).index(areas[code]))
    }
    title = "・".join(dict.fromkeys(_short(kind) for kind in coasts.values())) or "津波警報"
    named = dict.fromkeys(_HEADLINES[kind] for kind in coasts.values() if kind in _HEADLINES)
    items = [
        Item(KINDS[kind], kind, [coast for coast in coasts if _HEADLINES.get(coasts[coast]) == kind])
        for kind in named
    ]
    element = SEIS("Body", *_forecast(coasts), earthquake(quake))
    text = f"{title}を発表しました。" + (
        "ただちに避難してください。" if "51" in named or "52" in named else ""
    )
    return Body(title, text, element, "津波予報領域表現", _CODE_TYPE, items)


def _forecast(coasts: Mapping[Area, str]) -> list[etree._Element]:
    if not coasts:
        return []
    forecast = SEIS(
        "Forecast",
        SEIS(
            "CodeDefine",
            SEIS("Type", _CODE_TYPE, xpath="Item/Area/Code"),
            SEIS("Type", _KIND_TYPE, xpath="Item/Category/Kind/Code"),
            SEIS("Type", _KIND_TYPE, xpath="Item/Category/LastKind/Code"),
        ),
    )
    for coast, kind in coasts.items():
        height = {
            "type": "津波の高さ",
            "unit": "m",
            "condition": "不明",
            "description": _HEIGHTS.get(kind, ""),
        }
        forecast.append(
            SEIS(
                "Item",
                SEIS("Area", SEIS("Name", coast.name), SEIS("Code", coast.code)),
                SEIS(
                    "Category",
                    SEIS("Kind", SEIS("Name", KINDS[kind]), SEIS("Code", kind)),
                    SEIS("LastKind", SEIS("Name", "津波なし"), SEIS("Code", "00")),
                ),
                SEIS("MaxHeight", BASE("TsunamiHeight", "NaN", **height)),
            )
        )
    return [SEIS("Tsunami", forecast)]


def _short(kind: str) -> str:
    return KINDS[kind].partition("：")[0].partition("（")[0]
