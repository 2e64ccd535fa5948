"""Quantities as scenarios write them: durations, shares, rates, how often. Each raises BadInput for anything else."""

from __future__ import annotations

import re
from typing import Final

from harness.duration import EXAMPLES, Duration, NotADuration
from topology.document import Value

HOW_OFTEN: Final = ("once", "never")
_AMOUNT: Final = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,9})?)\s*([A-Za-z/%]*)", re.ASCII)


def duration(value: Value, meant: str = "s") -> Duration:
    """A number and a unit of time. `meant` is the unit that somebody who wrote none had in mind."""
    text = value.as_text(f"a duration: {EXAMPLES}")
    try:
        return Duration.parse(text, meant)
    except NotADuration as error:
        raise value.bad(error.expected, error.nearest) from None


def share(value: Value) -> float:
    """A part of a whole, 0.3 or 30%: from 0 to 1."""
    number, unit = _split(value, "a share such as 0.3 or 30%")
    part = number / 100 if unit == "%" else number
    if unit not in ("", "%") or not 0 <= part <= 1:
        raise value.bad("a share from 0 to 1, or 0% to 100%")
    return part


def rate(value: Value) -> float:
    """Thousands of bytes a second, 32KB/s: above 0."""
    number, unit = _split(value, "a rate such as 32KB/s")
    if unit != "KB/s" or number <= 0:
        raise value.bad("a rate such as 32KB/s", f"{number:g}KB/s" if number > 0 else None)
    return number


def per_minute(value: Value) -> float:
    """How many in a minute, 300/min: above 0."""
    number, unit = _split(value, "a number a minute such as 300/min")
    if unit != "/min" or number <= 0:
        raise value.bad("a number a minute such as 300/min", f"{number:g}/min" if number > 0 else None)
    return number


def how_often(value: Value) -> str:
    """One of `HOW_OFTEN`."""
    return value.as_word(HOW_OFTEN)


def _split(value: Value, expected: str) -> tuple[float, str]:
    """A number and its unit."""
    amount = _AMOUNT.fullmatch(value.as_text(expected))
    if not amount:
        raise value.bad(expected)
    return float(amount[1]), amount[2]
