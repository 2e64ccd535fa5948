"""Companies and people, the same for the same seed: what is enrolled, and who answers.

The sizes of companies, the rules and the names are settings of this replica, not figures of any market.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from random import Random
from typing import Final

from topology.world.areas import COASTS_OF, FORECAST, SEISMIC

#: Japanese seismic intensities, weakest first, as telegrams write them.
INTENSITIES: Final = ("1", "2", "3", "4", "5-", "5+", "6-", "6+", "7")

#: The company whose people are the probes' synthetic users. Its broadcast is always open; it gets no mail.
PROBE_COMPANY: Final = 900_001
#: Synthetic users of each carrier. A probe lasts up to 2 s; at ten a second nobody may have two under way.
PROBE_PEOPLE: Final = 32
_FIRST_PROBE_PERSON: Final = 900_000_001

#: Companies that share one password, so that enrolling hashes few of them: argon2 is slow on purpose.
COMPANIES_PER_PASSWORD: Final = 8

#: Areas of the far south, for companies whose rule an earthquake in Kanto must not match.
ELSEWHERE: Final = ("800", "801", "802")

_LEAST: Final = ("4", "5-", "5+")
_SPREAD: Final = 1.0  # sigma of the logarithm of company sizes
_FAMILY: Final = (
    "佐藤",
    "鈴木",
    "高橋",
    "田中",
    "伊藤",
    "渡辺",
    "山本",
    "中村",
    "小林",
    "加藤",
    "吉田",
    "佐々木",
)
_GIVEN: Final = ("翔太", "大輔", "健一", "直樹", "誠", "拓也", "浩", "陽子", "美咲", "恵子", "由美", "さくら")
_TRADES: Final = ("商事", "工業", "運輸", "食品", "電機", "建設", "製薬", "物産", "印刷", "倉庫")


@dataclass(frozen=True, slots=True)
class Company:
    """A customer and its rule: mail everyone when one of `areas` (none: any) shakes with at least `least`; where it
    wants to know of them, when there is a tsunami warning for one of `coasts`, a special warning for one of
    `prefectures` (none: any).
    """

    number: int
    name: str
    password: str
    areas: tuple[str, ...]
    least: str
    tsunami: bool
    special: bool
    coasts: tuple[str, ...] = ()
    prefectures: tuple[str, ...] = ()
    standing: bool = False
    admin: str = "admin"

    def matches(self, shaken: Mapping[str, str]) -> bool:
        """Whether an earthquake with these intensities (area code -> intensity) concerns this company."""
        floor = INTENSITIES.index(self.least)
        return any(
            INTENSITIES.index(intensity) >= floor and (not self.areas or area in self.areas)
            for area, intensity in shaken.items()
        )


@dataclass(frozen=True, slots=True)
class Person:
    """One employee. `number` is unique in the whole population; `address` is their mail address, at their carrier, or
    where their company's mail is hosted.
    """

    number: int
    company: int
    name: str
    area: str
    carrier: str
    address: str

    @property
    def domain(self) -> str:
        """Of their mail address."""
        return self.address.rpartition("@")[2]


@dataclass(frozen=True)
class Population:
    """`companies` and `people` are the drill's own; `probe_company` and `probe_people` serve the probes."""

    companies: tuple[Company, ...]
    people: tuple[Person, ...]
    probe_company: Company
    probe_people: tuple[Person, ...]

    def jsonl(self) -> str:
        """Everybody as the rows that the service's `enrol` reads: all companies first, then their people."""
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in self._rows())

    def _rows(self) -> Iterator[dict[str, object]]:
        for company in (*self.companies, self.probe_company):
            yield {
                "company": company.number,
                "name": company.name,
                "admin": company.admin,
                "password": company.password,
                "areas": list(company.areas),
                "least": company.least,
                "tsunami": company.tsunami,
                "special": company.special,
                "coasts": list(company.coasts),
                "prefectures": list(company.prefectures),
                "standing": company.standing,
            }
        for person in (*self.people, *self.probe_people):
            yield {
                "person": person.number,
                "company": person.company,
                "name": person.name,
                "area": person.area,
                "carrier": person.carrier,
                "address": person.address,
            }


def generate(
    *,
    seed: int,
    companies: int,
    people: int,
    carriers: Mapping[str, float],
    areas: Sequence[str],
    bystanders: float = 0.05,
    hosts: Mapping[str, float] | None = None,
) -> Population:
    """Make a population. `carriers` maps name to share of the people; `areas` are where people live; `hosts` maps each
    hosting provider of mail to the share of the companies whose people read their mail there.

    `bystanders` is the share of companies whose rule names only areas far away: no broadcast may reach them.
    Raises ValueError when there are fewer people than companies, or no company, carrier or area at all.
    """
    if not 0 < companies <= people:
        raise ValueError(f"{people} people cannot make up {companies} companies: each has at least one")
    if not carriers or not areas:
        raise ValueError("a population needs at least one carrier and one area")
    random = Random(f"population {seed}")
    firms = [_company(n, seed, random, areas) for n in range(1, companies + 1)]
    for n in random.sample(range(companies), int(companies * bystanders)):
        firms[n] = _bystander(firms[n])
    sizes = _sizes(random, companies, people)
    hosted = _hosted(seed, firms, hosts or {})
    staff = [_moved(person, hosted) for person in _staff(random, firms, sizes, carriers, areas)]
    return Population(
        tuple(firms), tuple(staff), _probe_company(seed), _probe_people(tuple(carriers), areas[0])
    )


def _company(number: int, seed: int, random: Random, areas: Sequence[str]) -> Company:
    home = random.sample(list(areas), min(len(areas), random.randint(1, 3)))
    chosen = () if random.random() < 0.5 else tuple(sorted(home))
    prefectures = tuple(sorted({SEISMIC[area].prefecture for area in chosen if area in SEISMIC}))
    coasts = tuple(sorted({coast for each in prefectures for coast in COASTS_OF.get(each, ())}))
    return Company(
        number=number,
        name=f"{random.choice(_FAMILY)}{random.choice(_TRADES)} {number}",
        password=f"replica-{seed}-{number // COMPANIES_PER_PASSWORD}",
        areas=chosen,
        least=random.choice(_LEAST),
        # Who stands in certain areas, none of which has a coast, has nothing to fear from the sea.
        tsunami=random.random() < 0.7 and bool(coasts or not chosen),
        special=random.random() < 0.5,
        coasts=coasts,
        prefectures=tuple(code for each in prefectures if (code := f"{each}0000") in FORECAST),
    )


def _bystander(company: Company) -> Company:
    return Company(
        company.number, company.name, company.password, ELSEWHERE, "6+", tsunami=False, special=False
    )


def _sizes(random: Random, companies: int, people: int) -> list[int]:
    """How many people each company has: one, and of the rest a share by a log-normal weight."""
    weights = [random.lognormvariate(0, _SPREAD) for _ in range(companies)]
    bounds = [round((people - companies) * so_far / sum(weights)) for so_far in accumulate(weights)]
    bounds[-1] = people - companies
    return [1 + upper - lower for lower, upper in zip([0, *bounds], bounds, strict=False)]


def _staff(
    random: Random,
    firms: Sequence[Company],
    sizes: Sequence[int],
    carriers: Mapping[str, float],
    areas: Sequence[str],
) -> Iterator[Person]:
    names, shares = tuple(carriers), tuple(accumulate(carriers.values()))
    number = 0
    for firm, size in zip(firms, sizes, strict=True):
        home = firm.areas or tuple(areas)
        for carrier in random.choices(names, cum_weights=shares, k=size):
            number += 1
            yield Person(
                number,
                firm.number,
                f"{random.choice(_FAMILY)} {random.choice(_GIVEN)}",
                random.choice(home),
                carrier,
                address(number, carrier),
            )


def _hosted(seed: int, firms: Sequence[Company], hosts: Mapping[str, float]) -> Mapping[int, str]:
    """Company -> where its mail is hosted. Who is whose employee does not depend on it."""
    random = Random(f"hosts {seed}")
    left = [firm.number for firm in firms]
    found: dict[int, str] = {}
    for host, share in hosts.items():
        for number in random.sample(left, min(len(left), round(share * len(firms)))):
            found[number] = host
            left.remove(number)
    return found


def _moved(person: Person, hosted: Mapping[int, str]) -> Person:
    """The same with the address at their company's host, if it has one."""
    host = hosted.get(person.company)
    return replace(person, address=address(person.number, host)) if host else person


def address(person: int, place: str) -> str:
    """The mail address of a person at a carrier or a hosting provider."""
    return f"p{person}@{place}.example"


def _probe_company(seed: int) -> Company:
    return Company(
        PROBE_COMPANY,
        "観測",
        f"replica-{seed}-probe",
        ELSEWHERE,
        "7",
        tsunami=False,
        special=False,
        standing=True,
    )


def _probe_people(carriers: Sequence[str], area: str) -> tuple[Person, ...]:
    numbered = enumerate((carrier for carrier in carriers for _ in range(PROBE_PEOPLE)), _FIRST_PROBE_PERSON)
    return tuple(
        Person(number, PROBE_COMPANY, f"観測 {number}", area, carrier, address(number, carrier))
        for number, carrier in numbered
    )
