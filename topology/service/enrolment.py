"""Companies and people as they are enrolled, one JSON object a line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from topology.service.addresses import is_address
from topology.service.rules import INTENSITIES

LARGEST_INT: Final = 2**31 - 1


class BadLine(Exception):
    """Which line, and what is wrong with it."""


@dataclass(frozen=True)
class Company:
    company: int
    name: str
    admin: str
    password: str
    areas: tuple[str, ...]
    least: str
    tsunami: bool
    special: bool
    coasts: tuple[str, ...]
    prefectures: tuple[str, ...]
    standing: bool


@dataclass(frozen=True)
class Person:
    person: int
    company: int
    name: str
    area: str
    carrier: str
    address: str


def read_lines(lines: Iterable[str]) -> tuple[list[Company], list[Person]]:
    """Raises BadLine for the first line that cannot be enrolled. Blank lines are skipped."""
    companies, people = [], []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            if not isinstance(row, dict):
                raise ValueError("not an object")
            if "person" in row:
                people.append(_person(row))
            else:
                companies.append(_company(row))
        except KeyError as missing:
            raise BadLine(f"line {number}: {missing.args[0]!r} is missing") from None
        except (ValueError, TypeError) as wrong:
            raise BadLine(f"line {number}: {wrong}") from None
    return companies, people


def _company(row: Mapping[str, Any]) -> Company:
    least = row.get("least", "5-")
    if least not in INTENSITIES:
        raise ValueError(f"least {least!r} is not one of {' '.join(INTENSITIES)}")
    return Company(
        _number(row["company"]),
        _text(row["name"]),
        _text(row.get("admin", "admin")),
        _text(row["password"]),
        _codes(row, "areas"),
        least,
        bool(row.get("tsunami", True)),
        bool(row.get("special", True)),
        _codes(row, "coasts"),
        _codes(row, "prefectures"),
        bool(row.get("standing", False)),
    )


def _person(row: Mapping[str, Any]) -> Person:
    address = _text(row["address"])
    if not is_address(address):
        raise ValueError("the address is not one that mail can be sent to")  # not shown: it may be a real one
    return Person(
        _number(row["person"]),
        _number(row["company"]),
        _text(row["name"]),
        _text(row.get("area", "")),
        _text(row.get("carrier", "")),
        address,
    )


def _codes(row: Mapping[str, Any], name: str) -> tuple[str, ...]:
    return tuple(_text(code) for code in row.get(name, ()))


def _number(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= LARGEST_INT:
        raise ValueError(f"{value!r} is not a number from 1 to {LARGEST_INT}")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise ValueError(f"{value!r} is not text")
    return value
