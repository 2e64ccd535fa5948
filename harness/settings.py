"""`--set drill.people=2000`: changing a scenario from the command line, under the same validation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from topology.document import BadInput, Fields, Items, Place, Scalar, Value, parse, quoted


def apply(fields: Fields, settings: Iterable[str]) -> Fields:
    """`fields` with each `path=value` set, in order. A path: keys and numbers of items, with dots.

    Keys that are not there yet are made; whether they may be there is for the scenario reader to say.
    Raises BadInput with the place `--set path=value`.
    """
    changed: Value = fields
    for setting in settings:
        place = Place(f"--set {setting}")
        path, equals, written = setting.partition("=")
        if not equals or not all(path.split(".")):
            raise BadInput(place, quoted(setting), "path=value, such as drill.people=2000")
        changed = _set(changed, path.split("."), _moved(parse(written, place.file), place), place)
    return changed.as_fields()


def _set(value: Value, path: list[str], new: Value, place: Place) -> Value:
    if not path:
        return new
    key, *rest = path
    if isinstance(value, Fields):
        inner = value.values.get(key, Fields({}, {}, place))
        values = {**value.values, key: _set(inner, rest, new, place)}
        keys = {**value.keys, key: value.keys.get(key, place) if rest else place}
        return replace(value, values=values, keys=keys)
    if isinstance(value, Items):
        if not key.isdecimal() or int(key) >= len(value.values):
            raise BadInput(place, quoted(key), f"the number of an item, 0 to {len(value.values) - 1}")
        at = int(key)
        changed = _set(value.values[at], rest, new, place)
        return replace(value, values=(*value.values[:at], changed, *value.values[at + 1 :]))
    raise BadInput(place, quoted(key), f"a path that ends before it: {value.place} holds no keys")


def _moved(value: Value, place: Place) -> Value:
    """All of it at one place."""
    match value:
        case Fields():
            values = {key: _moved(each, place) for key, each in value}
            return Fields(values, dict.fromkeys(value.keys, place), place)
        case Items():
            return Items(tuple(_moved(each, place) for each in value), place)
        case Scalar():
            return replace(value, place=place)
    raise TypeError(f"{value!r} is no part of a document")
