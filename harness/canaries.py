"""Canaries: a customer everything of whom can be recognized, wherever it turns up.

One company of the population bears a mark in its name and in the names and mail addresses of all its people. The two
marks differ: names stand in the database as they are, addresses may stand nowhere.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Final

from harness.load.population import Company, Population
from harness.rundir import Json

NAME: Final = "kanarienvogel"
ADDRESS: Final = "zaunkoenig"


def mark(seed: int) -> str:
    """What makes the marks of one run unlike anything else: twelve hexadecimal digits."""
    return sha256(f"canaries {seed}".encode()).hexdigest()[:12]


def name_mark(mark: str) -> str:
    return f"{NAME}-{mark}"


def address_mark(mark: str) -> str:
    return f"{ADDRESS}{mark}"


def planted(population: Population, mark: str) -> Population:
    """The same population with one company's name, password, people and addresses marked."""
    number = marked(population).number
    name, address = name_mark(mark), address_mark(mark)
    return replace(
        population,
        companies=tuple(
            replace(each, name=name, password=f"replica-{name}") if each.number == number else each
            for each in population.companies
        ),
        people=tuple(
            replace(each, name=f"{name}-{each.number}", address=f"{address}.{each.number}@{each.domain}")
            if each.company == number
            else each
            for each in population.people
        ),
    )


def marked(population: Population) -> Company:
    """Whom the marks are on: the first company that is told of an earthquake anywhere, so that mail goes there."""
    return next((each for each in population.companies if not each.areas), population.companies[0])


def observer(population: Population) -> Company:
    """Whose administrator asks for what is the marked company's. Raises ValueError if there is no other company."""
    number = marked(population).number
    for each in population.companies:
        if each.number != number:
            return each
    raise ValueError("isolation needs two companies: one that asks and one that is asked for")


def forms(mark: str) -> Mapping[str, bytes]:
    """How an address with this mark can stand in a file as plain text, by the name of the form.

    The mark itself is all letters and digits, so that percent-encoding and quoted-printable leave it as it is. In
    base64 it can begin at any of three places of a group; only the digits that depend on nothing else are looked for.
    """
    text = address_mark(mark)
    raw = text.encode()
    found = {
        "plain": raw,
        "utf-16le": text.encode("utf-16-le"),
        "utf-16be": text.encode("utf-16-be"),
        "hexadecimal": raw.hex().encode(),
    }
    for before in range(3):
        digits = base64.b64encode(b"\0" * before + raw)
        found[f"base64 at {before}"] = digits[-(-before * 4 // 3) : (before + len(raw)) * 4 // 3]
    return found


def noted(population: Population, mark: str) -> Mapping[str, Json]:
    """What the run says of them."""
    return {"mark": mark, "company": marked(population).number, "observer": observer(population).number}
