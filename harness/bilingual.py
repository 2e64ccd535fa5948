"""Words in both languages of the reports, as a file writes them: {en: …, ja: …}, or one text for both."""

from __future__ import annotations

from typing import Final

from topology.document import Fields, Value
from topology.map import Title

LANGUAGES: Final = ("en", "ja")


def read(value: Value, expected: str) -> Title:
    """Raises BadInput for anything else, saying what was `expected`."""
    if not isinstance(value, Fields):
        text = value.as_text(f"{expected}: a text, or {{en: …, ja: …}}")
        return Title(text, text)
    value.only(*LANGUAGES)
    en, ja = (value.need(language, f"{expected}, in {language}").as_text() for language in LANGUAGES)
    return Title(en, ja)
