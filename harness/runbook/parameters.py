"""What a runbook's parameters are given: as written after `--set`, and in the place of `$name` in its text."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from topology.document import BadInput, Fields, Items, Place, Scalar, Value, nearest, one_of

_PARAMETER: Final = re.compile(r"\$(?:\{([A-Za-z0-9_.-]+)\}|([A-Za-z0-9_-]+))")


def told(settings: Sequence[str], option: str = "--set") -> dict[str, Value]:
    """`name=value`, as after that option, as arguments. Raises BadInput with the place `--set name=value`."""
    given: dict[str, Value] = {}
    for setting in settings:
        place = Place(f"{option} {setting}")
        name, equals, text = setting.partition("=")
        if not equals or not name or not text:
            raise BadInput(place, f'"{setting}"', "name=value, such as from=singapore")
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else text
        given[name] = Scalar(text, number, place)
    return given


def filled(value: Value, arguments: Mapping[str, Scalar]) -> Value:
    """The same with `$name` and `${name}` replaced by what the parameter was given; places stay.

    `${name.ja}` and `${name.en}` are the title of a region.
    """
    match value:
        case Fields():
            return replace(value, values={key: filled(each, arguments) for key, each in value})
        case Items():
            return replace(value, values=tuple(filled(each, arguments) for each in value))
        case Scalar() if isinstance(value.value, str) and "$" in value.text:
            return _filled_text(value, arguments)
    return value


def _filled_text(value: Scalar, arguments: Mapping[str, Scalar]) -> Scalar:
    def told(found: re.Match[str]) -> str:
        name = found[1] or found[2]
        if name not in arguments:
            raise BadInput(
                value.place, f'"{found[0]}"', f"a parameter: {one_of(arguments)}", nearest(name, arguments)
            )
        return arguments[name].text

    whole = _PARAMETER.fullmatch(value.text)
    text = _PARAMETER.sub(told, value.text)
    # A parameter alone is what it was given, a number as a number.
    content = arguments[whole[1] or whole[2]].value if whole else text
    return replace(value, text=text, value=content)
