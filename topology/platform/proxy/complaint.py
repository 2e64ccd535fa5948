"""What is wrong with a text that is not JSON, in the words of Go's decoder, which the API passes on."""

from __future__ import annotations

import re
from typing import Final

_SPACE: Final = " \t\r\n"
_TOKEN: Final = re.compile(
    r"""[ \t\r\n]*(?: (?P<mark>[{}\[\]:,]) | (?P<string>"(?:[^"\\\x00-\x1f]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*")
        | (?P<word>true|false|null) | (?P<number>-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?) )""",
    re.VERBOSE,
)


def complaint(text: str, position: int) -> str:
    """Reads the value at `position` token by token until one cannot stand there. The text has such a fault."""
    stack: list[str] = []
    expected = "value"
    while True:
        token = _TOKEN.match(text, position)
        rest = text[position:].lstrip(_SPACE)
        kind = token.lastgroup if token else None
        mark = token["mark"] if token else None
        allowed = _follow(expected, kind, mark, stack)
        if token is None or allowed is None:
            return _fault(rest, expected, kind is not None)
        expected, position = allowed, token.end()
        if kind == "number" and text[position : position + 1] in (".", "e", "E"):
            return _fault_in_number(text, position)


def _follow(expected: str, kind: str | None, mark: str | None, stack: list[str]) -> str | None:
    """What may come after a token, or None if it may not stand here. Opens and closes containers on the stack."""
    if expected.startswith("value") or expected == "first element":
        if mark in ("{", "["):
            stack.append(str(mark))
            return "first key" if mark == "{" else "first element"
        if expected == "first element" and mark == "]":
            stack.pop()
            return _after(stack)
        return _after(stack) if kind in ("string", "word", "number") else None
    if expected in ("first key", "key"):
        if kind == "string":
            return "colon"
        if mark == "}" and expected == "first key":
            stack.pop()
            return _after(stack)
        return None
    if expected == "colon":
        return "value" if mark == ":" else None
    if mark == ",":
        return "key" if expected == "after pair" else "value"
    if mark == ("}" if expected == "after pair" else "]"):
        stack.pop()
        return _after(stack)
    return None


def _after(stack: list[str]) -> str:
    return "after pair" if stack and stack[-1] == "{" else "after element"


def _fault(rest: str, expected: str, whole_token: bool) -> str:
    if not rest:
        return "unexpected EOF"
    wants_value = expected in ("value", "first element")
    if not whole_token and rest[0] == '"' and (wants_value or expected.endswith("key")):
        return _fault_in_string(rest)
    if not whole_token and wants_value and rest[0] in "tfn":
        return _fault_in_word(rest)
    if not whole_token and wants_value and rest[0] == "-":
        return _at(rest[1:2], "in numeric literal")
    places = {
        "value": "looking for beginning of value",
        "first element": "looking for beginning of value",
        "first key": "looking for beginning of object key string",
        "key": "looking for beginning of object key string",
        "colon": "after object key",
        "after pair": "after object key:value pair",
        "after element": "after array element",
    }
    return _at(rest[0], places[expected])


def _fault_in_word(rest: str) -> str:
    word = next(word for word in ("true", "false", "null") if word[0] == rest[0])
    wrong = next(i for i in range(len(word)) if rest[i : i + 1] != word[i])
    return _at(rest[wrong : wrong + 1], f"in literal {word} (expecting {_quoted(word[wrong])})")


def _fault_in_string(rest: str) -> str:
    sound = re.match(r'"(?:[^"\\\x00-\x1f]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*', rest)
    assert sound is not None
    tail = rest[sound.end() :]
    if not tail.startswith("\\"):
        return _at(tail[:1], "in string literal")
    if not tail.startswith("\\u"):
        return _at(tail[1:2], "in string escape code")
    digits = re.match(r"\\u[0-9a-fA-F]*", tail)
    assert digits is not None
    return _at(tail[digits.end() : digits.end() + 1], "in \\u hexadecimal character escape")


def _fault_in_number(text: str, position: int) -> str:
    tail = re.match(r"\.|(?:\.\d+)?[eE][+-]?", text[position:])
    assert tail is not None
    end = position + tail.end()
    place = "after decimal point in numeric literal" if tail[0] == "." else "in exponent of numeric literal"
    return _at(text[end : end + 1], place)


def _at(character: str, place: str) -> str:
    return f"invalid character {_quoted(character)} {place}" if character else "unexpected EOF"


def _quoted(character: str) -> str:
    special = {"'": r"'\''", '"': "'\"'", "\\": r"'\\'", "\n": r"'\n'", "\t": r"'\t'", "\r": r"'\r'"}
    if character in special:
        return special[character]
    return f"'{character}'" if character.isprintable() else f"'\\x{ord(character):02x}'"
