"""Making XML elements of one namespace."""

from __future__ import annotations

from lxml import etree


class Elements:
    """`make("Area", make("Name", "新島"), code="1")` is <Area code="1"><Name>新島</Name></Area>.

    `prefix` is None for the default namespace; `others` are declared too, prefix to namespace.
    """

    def __init__(self, namespace: str, prefix: str | None = None, **others: str) -> None:
        self.namespace = namespace
        self._prefixes: dict[str | None, str] = {prefix: namespace}
        self._prefixes.update(others)

    def __call__(self, name: str, *inside: str | etree._Element, **attributes: str) -> etree._Element:
        # The stubs do not know that a default namespace has the prefix None.
        element = etree.Element(f"{{{self.namespace}}}{name}", nsmap=self._prefixes)  # type: ignore[arg-type]
        for attribute, value in attributes.items():
            element.set(attribute, value)
        for part in inside:
            if isinstance(part, str):
                element.text = part
            else:
                element.append(part)
        return element
