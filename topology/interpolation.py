"""Variables in a compose file: `$NAME`, `${NAME}`, and with a default, a complaint or a substitute.

`${NAME:-default}`, `${NAME:?complaint}`, `${NAME:+substitute}`; without the colon, set but empty counts as
given. `$$` is a dollar sign.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from topology.document import BadInput, Fields, Items, Scalar, Tree, Value, nearest, quoted, resolved

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_CHOICE: Final = re.compile(r"(:?)([-?+])(.*)", re.DOTALL)


def interpolate(value: Value, variables: Mapping[str, str]) -> Tree:
    """`value` with every variable replaced, in texts but not in keys. Raises BadInput.

    A variable that is not set and has no default is an error: Compose would go on with nothing in its place.
    """
    match value:
        case Scalar() if isinstance(value.value, str) and "$" in value.text:
            text = _Text(value, variables).expanded(value.text)
            return Scalar(text, resolved(text) if value.plain else text, value.place, value.plain, value.tag)
        case Scalar():
            return value
        case Items():
            return Items(tuple(interpolate(each, variables) for each in value), value.place, value.tag)
        case Fields():
            values = {key: interpolate(each, variables) for key, each in value}
            return Fields(values, value.keys, value.place, value.tag)
    raise TypeError(f"{value!r} is no part of a document")


class _Text:
    """One text with variables in it, and where it stands."""

    def __init__(self, source: Scalar, variables: Mapping[str, str]) -> None:
        self.source, self.variables = source, variables

    def expanded(self, text: str) -> str:
        done, at = "", 0
        while (dollar := text.find("$", at)) >= 0:
            replaced, after = self._variable(text, dollar + 1)
            done, at = done + text[at:dollar] + replaced, after
        return done + text[at:]

    def _variable(self, text: str, at: int) -> tuple[str, int]:
        """What the variable whose name begins at `at` stands for, and where the text goes on."""
        if text.startswith("$", at):
            return "$", at + 1
        braced = text.startswith("{", at)
        name = _NAME.match(text, at + braced)
        if not name:
            raise self.source.bad("a variable's name after $, or $$ for a dollar sign")
        if not braced:
            return self._chosen(name[0], ""), name.end()
        end = self._closing(text, name.end())
        return self._chosen(name[0], text[name.end() : end]), end + 1

    def _closing(self, text: str, at: int) -> int:
        depth = 1
        while at < len(text):
            if text.startswith("${", at):
                depth += 1
            elif text[at] == "}":
                depth -= 1
                if not depth:
                    return at
            at += 1
        raise self.source.bad("a } for every ${")

    def _chosen(self, name: str, rest: str) -> str:
        value = self.variables.get(name)
        if not rest:
            if value is None:
                raise self._unset(name, f"its value or a default, ${{{name}:-…}}")
            return value
        choice = _CHOICE.fullmatch(rest)
        if not choice:
            raise self.source.bad(f"one of :-, -, :?, ?, :+, + after ${{{name}")
        colon, kind, word = choice.groups()
        given = bool(value) if colon else value is not None
        if kind == "+":
            return self.expanded(word) if given else ""
        if given:
            return value or ""
        if kind == "?":
            raise self._unset(name, word or "its value")
        return self.expanded(word)

    def _unset(self, name: str, expected: str) -> BadInput:
        found = f"the variable {name}, which is not set, in {quoted(self.source.text)}"
        return BadInput(self.source.place, found, expected, nearest(name, self.variables))
