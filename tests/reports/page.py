"""Reading a page of ours back: its text as people see it, and its tags."""

from __future__ import annotations

from html.parser import HTMLParser

from harness.rundir import RunDir
from reports import run as report
from reports.words import Lang

VOID = frozenset({"meta", "br", "link", "hr", "img", "input"})


class Page(HTMLParser):
    """Text, tags, attributes. `unclosed` holds what was opened and not closed, or closed and not open."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.text = ""
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.unclosed: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.unclosed += self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if not self._open or self._open.pop() != tag:
            self.unclosed.append(f"/{tag}")

    def handle_data(self, data: str) -> None:
        if not self._open or self._open[-1] not in ("style", "script"):
            self.text += data

    def having(self, tag: str, **attributes: str) -> list[dict[str, str | None]]:
        """The attributes of every such tag."""
        wanted = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
        return [
            found
            for name, found in self.tags
            if name == tag and all(found.get(key) == value for key, value in wanted.items())
        ]

    @property
    def values(self) -> set[str]:
        """Every number as it was measured, whatever the page shows of it."""
        return {str(found["value"]) for name, found in self.tags if name == "data"}


def written(run: RunDir, lang: Lang = "en") -> Page:
    """Draw the run's report, and read it."""
    return Page(report.write(run, lang).read_text(encoding="utf-8"))
