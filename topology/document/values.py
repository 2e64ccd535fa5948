"""What stands in a YAML file, and where."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from topology.document.errors import BadInput, Place, nearest, one_of, quoted


class Value:
    """What stands in a YAML file at `place`. The `as_…` methods give its content or raise BadInput."""

    place: Place
    tag: str | None

    @property
    def shown(self) -> str:
        """As messages name it after "found"."""
        raise NotImplementedError

    def bad(self, expected: str, near: str | None = None) -> BadInput:
        return BadInput(self.place, self.shown, expected, near)

    @property
    def content(self) -> Plain:
        """The same without places."""
        raise NotImplementedError

    def as_fields(self, expected: str = "a mapping") -> Fields:
        raise self.bad(expected)

    def as_items(self, expected: str = "a list") -> Items:
        raise self.bad(expected)

    def as_text(self, expected: str = "text") -> str:
        """Non-empty text. A number counts as the text that was written."""
        raise self.bad(expected)

    def as_whole(self, expected: str = "a whole number", *, least: int = 0) -> int:
        raise self.bad(f"{expected} of at least {least}")

    def as_number(self, expected: str = "a number") -> float:
        raise self.bad(expected)

    def as_flag(self, expected: str = "true or false") -> bool:
        raise self.bad(expected)

    def as_word(self, words: Iterable[str]) -> str:
        """One of `words`."""
        known = list(words)
        written = self.as_text(one_of(known))
        if written not in known:
            raise self.bad(one_of(known), nearest(written, known))
        return written


Plain: TypeAlias = "str | int | float | bool | list[Plain] | dict[str, Plain] | None"


@dataclass(frozen=True)
class Scalar(Value):
    """One word, number or nothing. `text` is as written, `plain` says it stood without quotes."""

    text: str
    value: str | int | float | bool | None
    place: Place
    plain: bool = False
    tag: str | None = None

    @property
    def shown(self) -> str:
        if self.value is None:
            return "nothing"
        return quoted(self.text) if isinstance(self.value, str) else self.text

    @property
    def content(self) -> Plain:
        return self.value

    def as_text(self, expected: str = "text") -> str:
        if self.value is None or isinstance(self.value, bool) or not self.text:
            raise self.bad(expected)
        return self.text

    def as_whole(self, expected: str = "a whole number", *, least: int = 0) -> int:
        if not isinstance(self.value, int) or isinstance(self.value, bool) or self.value < least:
            raise self.bad(f"{expected} of at least {least}")
        return self.value

    def as_number(self, expected: str = "a number") -> float:
        if not isinstance(self.value, (int, float)) or isinstance(self.value, bool):
            raise self.bad(expected)
        return float(self.value)

    def as_flag(self, expected: str = "true or false") -> bool:
        if not isinstance(self.value, bool):
            raise self.bad(expected)
        return self.value


@dataclass(frozen=True)
class Items(Value):
    """A list."""

    values: tuple[Value, ...]
    place: Place
    tag: str | None = None

    @property
    def shown(self) -> str:
        return "a list"

    @property
    def content(self) -> Plain:
        return [each.content for each in self.values]

    def as_items(self, expected: str = "a list") -> Items:
        return self

    def __iter__(self) -> Iterator[Value]:
        return iter(self.values)


@dataclass(frozen=True)
class Fields(Value):
    """A mapping. `keys` says where each key stands; one that came by `<<` stands where it was written."""

    values: Mapping[str, Value]
    keys: Mapping[str, Place]
    place: Place
    tag: str | None = None

    @property
    def shown(self) -> str:
        return "a mapping"

    @property
    def content(self) -> Plain:
        return {key: each.content for key, each in self.values.items()}

    def as_fields(self, expected: str = "a mapping") -> Fields:
        return self

    def __contains__(self, key: str) -> bool:
        return key in self.values

    def __iter__(self) -> Iterator[tuple[str, Value]]:
        return iter(self.values.items())

    def get(self, key: str) -> Value | None:
        """The value of a key that need not be there. A key with nothing after it counts as absent."""
        value = self.values.get(key)
        return None if isinstance(value, Scalar) and value.value is None else value

    def need(self, key: str, expected: str) -> Value:
        """The value of a key that must be there; `expected` says what belongs there."""
        value = self.get(key)
        if value is None:
            place, found = self.keys.get(key), f"nothing for {quoted(key)}"
            raise BadInput(place or self.place, found if place else f"no {quoted(key)}", expected)
        return value

    def bad_key(self, key: str, expected: str, near: str | None = None) -> BadInput:
        return BadInput(self.keys[key], quoted(key), expected, near)

    def only(self, *known: str, extensions: bool = False) -> None:
        """Raises BadInput at the first key that is none of `known`. `extensions` allows x-… too."""
        for key in self.values:
            if key not in known and not (extensions and key.startswith("x-")):
                raise self.bad_key(key, one_of(known), nearest(key, known))


Tree: TypeAlias = Scalar | Items | Fields
