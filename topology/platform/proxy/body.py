"""Request bodies as upstream reads them: the first JSON value, names in any case, and Go's words for what is wrong.

Clients match on these texts, so they are part of the API. `Shape` says what a body is decoded into.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Final, NoReturn, TypeAlias

from topology.platform.proxy.complaint import complaint
from topology.platform.proxy.errors import bad_body

_SPACE: Final = " \t\r\n"
_INT64: Final = range(-(2**63), 2**63)
_SURROGATES: Final = re.compile("[\ud800-\udfff]")


class Number(str):
    """A number as it was written."""


Json: TypeAlias = "str | Number | bool | list[Json] | dict[str, Json] | None"
Value: TypeAlias = "str | bool | int | float | dict[str, Json]"


@dataclass(frozen=True)
class Field:
    """A field of a Go struct: its type, and its path as errors name it.

    A type that is none of string, bool, int, int64 and float32 is that of a nested struct, taken as it is.
    """

    type: str
    path: str


@dataclass(frozen=True)
class Shape:
    """A Go struct: its type as errors name it, and its fields by name."""

    type: str
    fields: Mapping[str, Field]


def first_value(body: bytes) -> Json:
    """The first JSON value; what follows it is nobody's business. Raises ApiError."""
    text = body.decode("utf-8", "replace")
    start = len(text) - len(text.lstrip(_SPACE))
    if start == len(text):
        raise bad_body("EOF")
    try:
        value: Json = _DECODER.raw_decode(text, start)[0]
    except RecursionError:
        raise bad_body("exceeded max depth") from None
    except json.JSONDecodeError:
        raise bad_body(complaint(body.decode("latin-1"), start)) from None
    return value


def decode(value: Json, shape: Shape) -> dict[str, Value]:
    """The fields of `shape` that `value` has; null counts as not there. Raises ApiError."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise bad_body(f"json: cannot unmarshal {kind(value)} into Go value of type {shape.type}")
    found: dict[str, Value] = {}
    names = {name.lower(): name for name in shape.fields}
    for key, item in value.items():
        name = names.get(key.lower())
        if name is not None and item is not None:
            found[name] = _convert(item, shape.fields[name])
    return found


def _convert(item: str | Number | bool | list[Json] | dict[str, Json], field: Field) -> Value:
    go_type = field.type
    what = kind(item)
    if go_type == "string" and what == "string":
        return _SURROGATES.sub("\ufffd", str(item))
    if go_type == "bool" and isinstance(item, bool):
        return item
    if isinstance(item, Number) and go_type in ("int", "int64", "float32"):
        number = _float32(item) if go_type == "float32" else _int64(item)
        if number is not None:
            return number
        what = f"number {item}"
    elif isinstance(item, dict) and go_type not in ("string", "bool", "int", "int64", "float32"):
        return item
    raise bad_body(f"json: cannot unmarshal {what} into Go struct field {field.path} of type {go_type}")


def _int64(number: Number) -> int | None:
    return int(number) if re.fullmatch(r"-?\d+", number) and int(number) in _INT64 else None


def _float32(number: Number) -> float | None:
    try:
        nearest: float = struct.unpack("<f", struct.pack("<f", float(number)))[0]
    except OverflowError:
        return None
    return nearest if nearest not in (inf, -inf) else None


def kind(value: Json) -> str:
    """What errors call a JSON value that is not null."""
    if isinstance(value, Number):
        return "number"
    names: dict[type, str] = {str: "string", bool: "bool", list: "array", dict: "object"}
    return names[type(value)]


def _no_constant(name: str) -> NoReturn:
    """NaN and Infinity, which are no JSON; the complaint is made from the text."""
    raise json.JSONDecodeError("Expecting value", name, 0)


_DECODER: Final = json.JSONDecoder(parse_int=Number, parse_float=Number, parse_constant=_no_constant)
