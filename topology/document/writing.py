"""From values or plain data to YAML that `parse` reads back as the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import yaml

from topology.document.reading import resolved
from topology.document.values import Fields, Items, Scalar, Value

_TEXT: Final = "tag:yaml.org,2002:str"


class _Dumper(yaml.SafeDumper):
    """Puts quotes around what would not be read back as text, by this project or by any other reader."""

    def ignore_aliases(self, data: object) -> bool:
        return True

    def represent_text(self, text: str) -> yaml.ScalarNode:
        return yaml.ScalarNode(_TEXT, text, style=None if _safe(text) else '"')


_Dumper.add_representer(str, _Dumper.represent_text)
_ELSEWHERE: Final = yaml.resolver.Resolver()


def _safe(text: str) -> bool:
    """Whether a text may stand without quotes."""
    return isinstance(resolved(text), str) and _tag(text) == _TEXT and text.isprintable()


def _tag(text: str) -> str:
    """What a plain word is taken for by readers of YAML 1.1."""
    return str(_ELSEWHERE.resolve(yaml.ScalarNode, text, (True, False)))  # type: ignore[no-untyped-call]


def dump(data: Mapping[str, object]) -> str:
    """Mappings, lists, texts, numbers, flags and nothing; keys stay in their order."""
    return yaml.dump(data, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=100)


def write(value: Value) -> str:
    """What was read, without anchors, comments and tags; numbers stay as they were written."""
    return yaml.serialize(_node(value), Dumper=_Dumper, allow_unicode=True, width=100)


def _node(value: Value) -> yaml.Node:
    match value:
        case Scalar() if value.plain and not isinstance(value.value, str):
            return yaml.ScalarNode(_tag(value.text), value.text)
        case Scalar():
            return yaml.ScalarNode(_TEXT, value.text, style=None if _safe(value.text) else '"')
        case Items():
            return yaml.SequenceNode("tag:yaml.org,2002:seq", [_node(each) for each in value])
        case Fields():
            pairs = [(_node(Scalar(key, key, value.place)), _node(each)) for key, each in value]
            return yaml.MappingNode("tag:yaml.org,2002:map", pairs)
    raise TypeError(f"{value!r} is no part of a document")
