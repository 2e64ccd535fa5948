"""What people see: pages of a few kilobytes that need no script, in Japanese and English.

A page's words stand in its template as [[name]], and are put in when it is loaded, once for each language; values
are put in, and escaped, by the template engine.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Any, Final

from jinja2 import Environment, FunctionLoader
from markupsafe import escape

from topology.service.pages.texts import TEXTS
from topology.service.telegram import JST

LANGUAGES: Final = tuple(TEXTS)
#: A page's address can hold a personal token: it is told to no other site, and kept in no cache.
HEADERS: Final = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Vary": "Accept-Language",
}
_WORD: Final = re.compile(r"\[\[(\w+)\]\]")


def render(name: str, language: str, **values: Any) -> bytes:
    """A page as bytes of UTF-8. `language` is one of LANGUAGES."""
    return _ENVIRONMENTS[language].get_template(name).render(values).encode()


def words(language: str) -> Mapping[str, str]:
    """The words of the pages, by name, in one of LANGUAGES."""
    return TEXTS[language]


def language_of(chosen: str | None, accepted: str | None) -> str:
    """The language of a page: what the link says, else what the browser likes best, else Japanese."""
    if chosen in LANGUAGES:
        return str(chosen)
    best, best_weight = LANGUAGES[0], 0.0
    for part in (accepted or "").split(","):
        name, _, parameter = part.strip().partition(";")
        language, weight = name[:2].lower(), _weight(parameter)
        if language in LANGUAGES and weight > best_weight:
            best, best_weight = language, weight
    return best


def _weight(parameter: str) -> float:
    try:
        return float(parameter.strip().removeprefix("q=")) if parameter else 1.0
    except ValueError:
        return 0.0


def _loader(words: Mapping[str, str]) -> Callable[[str], str]:
    def load(name: str) -> str:
        source = (files(__name__) / f"{name}.html").read_text(encoding="utf-8")
        return _WORD.sub(lambda found: str(escape(words[found[1]])), source)

    return load


def _environment(language: str) -> Environment:
    environment = Environment(
        loader=FunctionLoader(_loader(TEXTS[language])),
        autoescape=True,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(t=TEXTS[language], language=language, jst=JST)
    return environment


_ENVIRONMENTS: Final = {language: _environment(language) for language in LANGUAGES}
