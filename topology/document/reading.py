"""From text to values: PyYAML finds the structure and the places, the words are resolved here."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Final

import yaml
from yaml._yaml import CParser
from yaml.composer import Composer
from yaml.resolver import BaseResolver

from topology.document.errors import BadInput, Place, quoted
from topology.document.values import Fields, Items, Scalar, Tree, Value
from topology.garbage import uncollected


def load(path: Path, expected: str = "a YAML file") -> Fields:
    """The mapping that a YAML file holds. Raises BadInput for whatever is wrong with the file or its YAML."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise BadInput(Place(str(path)), "no such file", expected) from None
    except (OSError, ValueError) as error:
        raise BadInput(Place(str(path)), f"a file that cannot be read ({error})", expected) from None
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        place = _place_in(raw[: error.start].decode("utf-8"), str(path))
        raise BadInput(place, f"the byte 0x{raw[error.start]:02x}", "text in UTF-8") from None
    return parse(text, str(path)).as_fields(f"a mapping: {expected}")


def load_all(expected: str, *folders: Path) -> dict[str, Fields]:
    """What every `*.yaml` of these folders holds, by its name; of two with one name the later. Raises BadInput."""
    return {path.stem: load(path, expected) for folder in folders for path in sorted(folder.glob("*.yaml"))}


def parse(text: str, file: str) -> Tree:
    """The one document that `text` holds; nothing at all is a Scalar with no value. Raises BadInput."""
    with uncollected():  # all that is made here is kept
        return _parsed(text, file)


def _parsed(text: str, file: str) -> Tree:
    try:
        node = _composed(text)
    except yaml.reader.ReaderError as error:
        place = _place_in(text[: error.position], file)
        raise BadInput(place, f"the character U+{ord(text[error.position]):04X}", "printable text") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(file, mark.line + 1, mark.column + 1) if mark else Place(file)
        raise BadInput(place, f"text that is not YAML ({error.problem or error.context})", "YAML") from None
    except RecursionError:
        raise BadInput(Place(file), "lists or mappings nested without end", "YAML") from None
    if node is None:
        return Scalar("", None, Place(file, 1, 1))
    return _Builder(file).build(node, 0)


def _place_in(before: str, file: str) -> Place:
    """The place just after `before`."""
    return Place(file, before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)


def _composed(text: str) -> yaml.Node | None:
    """The nodes of the one document; words are left to `resolved`."""
    try:
        return _Fast(text).get_single_node()
    except yaml.YAMLError:
        return _Thorough(text).get_single_node()  # it complains of the same, and says better what and where


class _Fast(Composer, CParser, BaseResolver):
    """Ten times as fast. Nodes are composed in Python: in C, deep nesting would end the process."""

    def __init__(self, text: str) -> None:
        CParser.__init__(self, text)
        Composer.__init__(self)
        BaseResolver.__init__(self)


class _Thorough(yaml.SafeLoader):
    """The same in Python alone."""

    yaml_implicit_resolvers = {}  # noqa: RUF012


_NULL: Final = frozenset({"", "~", "null", "Null", "NULL"})
_FLAGS: Final = {word: word.lower() == "true" for word in ("true", "True", "TRUE", "false", "False", "FALSE")}
_WHOLE: Final = re.compile(r"[-+]?[0-9]{1,18}", re.ASCII)
_NUMBER: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", re.ASCII)
_UNTAGGED: Final = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("str", "seq", "map"))
#: Compose's own tags, see `topology.overlay`.
_TAGS: Final = frozenset({"!reset", "!override"})
#: Whoever walks a tree may do so by recursion.
DEEPEST: Final = 50


def resolved(text: str) -> str | int | float | bool | None:
    """What a plain word means by the core schema of YAML 1.2. Numbers beyond a float's range stay text."""
    if text in _NULL:
        return None
    if text in _FLAGS:
        return _FLAGS[text]
    if _WHOLE.fullmatch(text):
        return int(text)
    if _NUMBER.fullmatch(text) and math.isfinite(float(text)):
        return float(text)
    return text


class _Builder:
    """Turns PyYAML's nodes into values. An aliased node is built once."""

    def __init__(self, file: str) -> None:
        self.file = file
        self._built: dict[int, Tree | None] = {}  # None: being built

    def build(self, node: yaml.Node, depth: int) -> Tree:
        if depth > DEEPEST:
            raise BadInput(
                self._place(node), "lists or mappings nested without end", f"at most {DEEPEST} deep"
            )
        if id(node) in self._built:
            built = self._built[id(node)]
            if built is None:
                raise BadInput(self._place(node), "an anchor that contains itself", "a value that ends")
            return built
        self._built[id(node)] = None
        built = self._built[id(node)] = self._new(node, depth)
        return built

    def _new(self, node: yaml.Node, depth: int) -> Tree:
        place, tag = self._place(node), self._tag(node)
        if isinstance(node, yaml.ScalarNode):
            plain = not node.style  # None, or nothing in C
            return Scalar(node.value, resolved(node.value) if plain else node.value, place, plain, tag)
        if isinstance(node, yaml.SequenceNode):
            return Items(tuple(self.build(child, depth + 1) for child in node.value), place, tag)
        return self._fields(node, depth, place, tag)

    def _fields(self, node: yaml.Node, depth: int, place: Place, tag: str | None) -> Fields:
        own: dict[str, Value] = {}
        keys: dict[str, Place] = {}
        merged: list[Fields] = []
        for key_node, value_node in node.value:
            at, value = self._place(key_node), self.build(value_node, depth + 1)
            if not isinstance(key_node, yaml.ScalarNode):
                raise BadInput(at, "a list or mapping as a key", "a word as a key")
            key = key_node.value
            if key == "<<" and not key_node.style:
                merged += self._merged(value)
            elif key in own:
                raise BadInput(at, f"{quoted(key)} again", f"each key once; see line {keys[key].line}")
            else:
                own[key], keys[key] = value, at
        values: dict[str, Value] = {}
        places: dict[str, Place] = {}
        for fields in reversed(merged):  # what is merged first wins
            values |= fields.values
            places |= fields.keys
        return Fields(values | own, places | keys, place, tag)

    def _merged(self, value: Tree) -> list[Fields]:
        if isinstance(value, Items):
            return [item.as_fields("a mapping to merge") for item in value]
        return [value.as_fields("a mapping to merge")]

    def _tag(self, node: yaml.Node) -> str | None:
        if node.tag in _UNTAGGED:
            return None
        if node.tag not in _TAGS:
            raise BadInput(
                self._place(node), f"the tag {quoted(node.tag)}", f"no tag but {', '.join(sorted(_TAGS))}"
            )
        return str(node.tag)

    def _place(self, node: yaml.Node) -> Place:
        return Place(self.file, node.start_mark.line + 1, node.start_mark.column + 1)
