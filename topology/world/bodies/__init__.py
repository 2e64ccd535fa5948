"""The bodies of telegrams, and what their headlines say of them. One module for each sort."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from lxml import etree

from topology.world.areas import Area

T = TypeVar("T")


@dataclass(frozen=True)
class Item:
    """A line of a headline: what is said, and of which areas. `code` is empty where the agency gives none."""

    name: str
    code: str
    areas: Sequence[Area]


@dataclass(frozen=True)
class Body:
    """A body, its title, and its headline. `information` and `code_type` name the tables of the items and areas."""

    title: str
    headline: str
    element: etree._Element
    information: str = ""
    code_type: str = ""
    items: Sequence[Item] = ()


def said(table: Mapping[str, T], areas: Mapping[str, str], words: Mapping[str, object]) -> dict[str, T]:
    """The areas of these codes. Raises ValueError for a code or a word that is not in the agency's tables."""
    for code, word in areas.items():
        if code not in table:
            raise ValueError(f"area {code}: not one of {', '.join(table)}")
        if word not in words:
            raise ValueError(f"area {code}: {word} is not one of {', '.join(words)}")
    return {code: table[code] for code in areas}
