"""Complaints about what a person wrote: where it stands, what was found, what was expected."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True, order=True)
class Place:
    """Where something stands in a file; line and column count from 1. Line 0: the file as a whole."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


class BadInput(Exception):
    """Something a person wrote cannot be used. `str` of it is the whole message, on one line."""

    def __init__(self, place: Place, found: str, expected: str, nearest: str | None = None) -> None:
        self.place, self.found, self.expected, self.nearest = place, found, expected, nearest
        hint = f"; did you mean {quoted(nearest)}?" if nearest else ""
        super().__init__(f"{place}: found {found}, expected {expected}{hint}")

    @property
    def file(self) -> str:
        return self.place.file

    @property
    def line(self) -> int:
        return self.place.line

    @property
    def column(self) -> int:
        return self.place.column


def quoted(text: str) -> str:
    """As messages show what was written: in quotes, on one line, not too long."""
    return json.dumps(text if len(text) <= 60 else text[:59] + "…", ensure_ascii=False)


def one_of(words: Iterable[str]) -> str:
    """As messages list what would have been right."""
    known = list(words)
    shown = ", ".join(known[:12]) + (", …" if len(known) > 12 else "")
    return shown if len(known) == 1 else f"one of {shown}" if known else "nothing here"


def nearest(word: str, words: Iterable[str]) -> str | None:
    """The known word that `word` is most likely a slip of, if any is near enough."""
    cutoff = 0.5 if len(word) <= 3 else 0.6
    return next(iter(get_close_matches(word, list(words), n=1, cutoff=cutoff)), None)
