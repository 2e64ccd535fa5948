"""Reading telegrams of the Japan Meteorological Agency's disaster-prevention XML (気象庁防災情報XML)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Final

from lxml import etree

#: The agency's largest telegrams are some hundred kilobytes.
LARGEST: Final = 4 * 1024 * 1024
LONGEST_EVENT: Final = 64
JST: Final = timezone(timedelta(hours=9))

#: Kinds by the title in Control; others are kept, as "other", and alert nobody.
KINDS: Final = {
    "震度速報": "VXSE51",
    "震源・震度に関する情報": "VXSE53",
    "津波警報・注意報・予報a": "VTSE41",
    "気象警報・注意報（Ｈ２７）": "VPWW54",
}
TSUNAMI: Final = "VTSE41"
WEATHER: Final = "VPWW54"
OTHER: Final = "other"
#: The only status that may ever alert real people; the others are 訓練 (training) and 試験 (test).
REAL: Final = "通常"
CANCEL: Final = "取消"
CORRECTION: Final = "訂正"
#: Kinds of tsunami forecast that are warnings: 津波警報, 大津波警報, 大津波警報：発表. Advisories (62) and
#: forecasts (71 to 73) are not, nor is 00 (none) or 50 and 60 (lifted).
TSUNAMI_WARNINGS: Final = frozenset({"51", "52", "53"})
SPECIAL_WARNING: Final = "特別警報"
LIFTED: Final = frozenset({"解除", "なし"})


class NotATelegram(Exception):
    """What is wrong with it, in one line."""


@dataclass(frozen=True)
class Telegram:
    """What the service needs to know of a telegram.

    `areas`, of an earthquake: seismic area code (地震情報／細分区域) to the greatest intensity there, as the agency
    writes it: 1 to 4, 5-, 5+, 6-, 6+, 7. Of a tsunami: the coasts (津波予報区) with a warning, to its code. Of the
    weather: the areas (府県予報区 and what lies in them) with a special warning, to its name. `tsunami`, `special`:
    a tsunami warning or a special weather warning is in force somewhere. `serial` is 0 where the telegram has none.
    """

    kind: str
    event: str
    info: str
    status: str
    reported: datetime
    serial: int
    areas: Mapping[str, str]
    tsunami: bool
    special: bool


def parse(body: bytes) -> Telegram:
    """Raises NotATelegram. Reads nothing but the bytes: no entity, no document type, no network."""
    root = _root(body)
    title = _text(root, "{*}Control/{*}Title")
    kind = KINDS.get(title, OTHER)
    coasts, special = dict(_tsunami_warnings(root)), dict(_special_warnings(root))
    return Telegram(
        kind=kind,
        event=_event(root, kind),
        info=_text(root, "{*}Head/{*}InfoType"),
        status=_text(root, "{*}Control/{*}Status"),
        reported=_reported(root),
        serial=_serial(root),
        areas=_places({TSUNAMI: coasts, WEATHER: special}.get(kind) or dict(_intensities(root))),
        tsunami=bool(coasts),
        special=bool(special),
    )


def _places(said: Mapping[str, str]) -> Mapping[str, str]:
    """Without what was said of no place."""
    return {code: word for code, word in said.items() if code}


def _root(body: bytes) -> etree._Element:
    if len(body) > LARGEST:
        raise NotATelegram(f"{len(body)} bytes are too many")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise NotATelegram(f"not XML: {error}") from None
    if root.getroottree().docinfo.doctype:  # type: ignore[union-attr]
        raise NotATelegram("it declares a document type, as no telegram does")
    if etree.QName(root).localname != "Report":
        raise NotATelegram(f"its root is {etree.QName(root).localname}, not Report")
    return root


def _text(root: etree._Element, path: str) -> str:
    text = (root.findtext(path) or "").strip()
    if not text:
        raise NotATelegram(f"{path.replace('{*}', '')} is missing or empty")
    return text


def _event(root: etree._Element, kind: str) -> str:
    """The event's name. A tsunami telegram may name several earthquakes, the first one first.

    Weather telegrams have none: what one office says of one day is one event.
    """
    named = (root.findtext("{*}Head/{*}EventID") or "").split()
    if named and len(named[0]) > LONGEST_EVENT:
        raise NotATelegram("its EventID is too long")
    if named:
        return named[0]
    office = _text(root, "{*}Control/{*}EditorialOffice")
    return f"{kind}-{office}-{_reported(root).astimezone(JST):%Y%m%d}"


def _reported(root: etree._Element) -> datetime:
    text = _text(root, "{*}Head/{*}ReportDateTime")
    try:
        reported = datetime.fromisoformat(text)
    except ValueError:
        raise NotATelegram(f"ReportDateTime {text[:40]!r} is not a time") from None
    return reported if reported.tzinfo else reported.replace(tzinfo=JST)


def _serial(root: etree._Element) -> int:
    text = (root.findtext("{*}Head/{*}Serial") or "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _intensities(root: etree._Element) -> Iterator[tuple[str, str]]:
    for area in root.iterfind("{*}Body/{*}Intensity/{*}Observation/{*}Pref/{*}Area"):
        code, intensity = area.findtext("{*}Code"), area.findtext("{*}MaxInt")
        if code and intensity:
            yield code.strip(), intensity.strip()


def _tsunami_warnings(root: etree._Element) -> Iterator[tuple[str, str]]:
    """Coasts with a warning, and its code."""
    for item in root.iterfind("{*}Body/{*}Tsunami/{*}Forecast/{*}Item"):
        for code in item.iterfind("{*}Category/{*}Kind/{*}Code"):
            if (word := (code.text or "").strip()) in TSUNAMI_WARNINGS:
                yield (item.findtext("{*}Area/{*}Code") or "").strip(), word


def _special_warnings(root: etree._Element) -> Iterator[tuple[str, str]]:
    """Areas with a special warning in force now, and its name. What may be raised to one later (NextKind) is none."""
    for path in ("{*}Head/{*}Headline/{*}Information/{*}Item", "{*}Body/{*}Warning/{*}Item"):
        for item in root.iterfind(path):
            codes = [code.text or "" for code in item.iterfind("{*}Areas/{*}Area/{*}Code")]
            codes += [code.text or "" for code in item.iterfind("{*}Area/{*}Code")]
            for kind in item.iterfind("{*}Kind"):
                name, status = kind.findtext("{*}Name") or "", kind.findtext("{*}Status") or ""
                if name.strip().endswith(SPECIAL_WARNING) and status.strip() not in LIFTED:
                    yield from ((code.strip(), name.strip()) for code in codes or [""])
