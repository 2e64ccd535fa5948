"""Every word of the reports, in both languages, from one catalogue; and how numbers are written."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Final, Literal

from harness.rundir import Json

Lang = Literal["ja", "en"]
LANGS: Final[tuple[Lang, ...]] = ("en", "ja")


@cache
def catalogue() -> Mapping[str, Mapping[str, str]]:
    """Key -> language -> text, with `{names}` to fill in."""
    text = resources.files("reports").joinpath("texts.json").read_text(encoding="utf-8")
    entries: dict[str, dict[str, str]] = json.loads(text)
    return entries


class Words:
    """The catalogue in one language."""

    def __init__(self, lang: Lang) -> None:
        self.lang: Final = lang

    def __call__(self, key: str, **values: object) -> str:
        """The text of a key. Raises KeyError for a key the catalogue lacks."""
        text = catalogue()[key][self.lang]
        return text.format(**values) if values else text

    def known(self, key: str, fallback: str) -> str:
        """The text of a key that comes from a run directory, which may be younger than the catalogue."""
        return catalogue()[key][self.lang] if key in catalogue() else fallback

    def measure(self, key: str, check: str = "") -> str:
        """What a measured or expected quantity is called, by its check where that matters: `lost` answers or mails."""
        name, _ = split_unit(key)
        for known in (f"measure.{check}.{key}", f"measure.{key}", f"measure.{name}"):
            if known in catalogue():
                return self(known)
        return name.replace("_", " ")

    def value(self, key: str, value: Json) -> str:
        """A measured value with the unit its key names."""
        if value is None:
            return self("value.none")
        if isinstance(value, bool):
            return self("value.yes" if value else "value.no")
        if isinstance(value, str) and key == "reasons":
            return REASON.sub(lambda found: self.known(f"reason.{found[0]}", found[0]), value)
        if isinstance(value, str):
            return self.known(f"{key}.{value}", self.known(f"word.{value}", value))
        if isinstance(value, list):
            return ", ".join(self.value(key, item) for item in value) or "0"
        if isinstance(value, dict) and set(value) == set(LANGS):  # a title
            return str(value[self.lang])
        if isinstance(value, dict):
            return ", ".join(f"{name}: {self.value(key, item)}" for name, item in value.items())
        if not isinstance(value, int | float):
            return str(value)
        unit = split_unit(key)[1]
        if unit in ("share", "ratio"):
            return f"{number(value * 100)}\u202f%"
        if unit == "s" and 0 < abs(value) < 0.1:
            return quantity(value * 1000, self("unit.ms"))
        if unit == "drill_s" and abs(value) >= 60:
            return quantity(value / 60, self("unit.drill_min"))
        return quantity(value, self(f"unit.{unit}")) if unit else number(value)

    def clock(self, drill_s: float) -> str:
        """Drill time as h:mm, or h:mm:ss where the seconds say something."""
        sign, whole = ("-" if drill_s < 0 else "", abs(round(drill_s)))
        hours, minutes, seconds = whole // 3600, whole // 60 % 60, whole % 60
        return f"{sign}{hours}:{minutes:02}:{seconds:02}" if seconds else f"{sign}{hours}:{minutes:02}"


#: A word in what failed probes said: `timeout (12), http 503 (3)`.
REASON: Final = re.compile(r"[a-z]+(?: [a-z]+)*")

#: The last part of a quantity's name is its unit. Order matters: the longest first.
UNITS: Final = ("per_s", "drill_min", "drill_s", "share", "ratio", "ms", "us", "min", "mib", "s")


def split_unit(key: str) -> tuple[str, str]:
    """`write_rto_s` -> (`write_rto`, `s`); a name without a unit counts things."""
    for unit in UNITS:
        if key.endswith(f"_{unit}"):
            return key.removesuffix(f"_{unit}"), unit
    return key, ""


def number(value: float) -> str:
    """Thousands apart; as many decimals as tell something: 9,312; 21.4; 0.0371."""
    if value != value or value in (float("inf"), float("-inf")):
        return "—"
    if float(value).is_integer():
        return f"{int(value):,}"
    size = abs(value)
    if size < 1:
        return f"{value:.3g}"
    text = f"{value:,.{0 if size >= 1000 else 1 if size >= 100 else 2}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def quantity(value: float, unit: str) -> str:
    """A number and its unit, never parted at the end of a line."""
    return f"{number(value)}\u202f{unit}"
