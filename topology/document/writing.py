"""From plain data to YAML that `parse` reads back as the same."""

from __future__ import annotations

from collections.abc import Mapping

import yaml

from topology.document.reading import resolved


class _Dumper(yaml.SafeDumper):
    """Puts quotes around what would not be read back as text."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    safe = isinstance(resolved(text), str) and text != "<<" and text.isprintable()
    style = None if safe else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def dump(data: Mapping[str, object]) -> str:
    """Mappings, lists, texts, numbers, flags and nothing; keys stay in their order."""
    return yaml.dump(data, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=100)
