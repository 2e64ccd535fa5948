"""What people see: pages of a few kilobytes that need no script, in Japanese and English.

Every value is escaped by the template engine; the texts are in `texts`.
"""

from __future__ import annotations

from typing import Any, Final

from jinja2 import Environment, PackageLoader, select_autoescape

from topology.service.pages.texts import TEXTS

LANGUAGES: Final = tuple(TEXTS)
_ENVIRONMENT: Final = Environment(
    loader=PackageLoader("topology.service", "pages"),
    autoescape=select_autoescape(default=True, default_for_string=True),
    auto_reload=False,
    trim_blocks=True,
    lstrip_blocks=True,
)
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


def render(name: str, language: str, **values: Any) -> bytes:
    """A page as bytes of UTF-8. `language` is one of LANGUAGES."""
    template = _ENVIRONMENT.get_template(f"{name}.html")
    return template.render(t=TEXTS[language], language=language, **values).encode()


def language_of(chosen: str | None, accepted: str | None) -> str:
    """The language of a page: what the link says, else what the browser likes best, else Japanese."""
    if chosen in LANGUAGES:
        return str(chosen)
    best, best_weight = "ja", 0.0
    for part in (accepted or "").split(","):
        name, _, parameter = part.strip().partition(";")
        language = name[:2].lower()
        weight = _weight(parameter)
        if language in LANGUAGES and weight > best_weight:
            best, best_weight = language, weight
    return best


def _weight(parameter: str) -> float:
    try:
        return float(parameter.strip().removeprefix("q=")) if parameter else 1.0
    except ValueError:
        return 0.0
