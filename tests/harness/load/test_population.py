from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.load import population
from harness.load.population import COMPANIES_PER_PASSWORD, PROBE_COMPANY, PROBE_PEOPLE, Population
from topology.world.areas import COASTS_OF, SEISMIC

CARRIERS = {"docomo": 0.5, "au": 0.3, "softbank": 0.2}
AREAS = ("350", "351", "360")


def make(**changes: Any) -> Population:
    given: dict[str, Any] = {"seed": 1, "companies": 20, "people": 2000, "carriers": CARRIERS, "areas": AREAS}
    return population.generate(**(given | changes))


def test_the_same_seed_makes_the_same_people_whatever_else_draws_numbers() -> None:
    first = make().jsonl()
    Random(1).random()
    assert make().jsonl() == first
    assert make(seed=2).jsonl() != first


@settings(max_examples=40)
@given(seed=st.integers(0, 10_000), companies=st.integers(1, 60), more=st.integers(0, 500))
def test_every_company_has_someone_and_everyone_a_company(seed: int, companies: int, more: int) -> None:
    made = make(seed=seed, companies=companies, people=companies + more)
    staff = Counter(person.company for person in made.people)
    assert set(staff) == set(range(1, companies + 1))
    assert [person.number for person in made.people] == list(range(1, companies + more + 1))
    assert all(person.address == f"p{person.number}@{person.carrier}.example" for person in made.people)


def test_carriers_have_their_shares() -> None:
    made = Counter(person.carrier for person in make(people=10_000).people)
    for carrier, share in CARRIERS.items():
        assert made[carrier] / 10_000 == pytest.approx(share, abs=0.03)


def test_a_share_of_the_companies_has_its_mail_hosted_and_nothing_else_of_anybody_changes() -> None:
    plain, hosted = make(), make(hosts={"hosting": 0.5})
    moved = {person.company for person in hosted.people if person.domain == "hosting.example"}
    assert len(moved) == 10
    for before, after in zip(plain.people, hosted.people, strict=True):
        there = "hosting" if after.company in moved else after.carrier
        assert after == replace(before, address=f"p{before.number}@{there}.example")
    assert make(hosts={"hosting": 0.5}).jsonl() == hosted.jsonl()


def test_companies_share_few_passwords() -> None:
    made = make(companies=40)
    assert len({company.password for company in made.companies}) <= 40 / COMPANIES_PER_PASSWORD + 1
    assert made.probe_company.password not in {company.password for company in made.companies}


def test_an_earthquake_in_kanto_concerns_all_but_the_bystanders() -> None:
    made = make(companies=40)
    shaken = dict.fromkeys(AREAS, "6+")
    concerned = [company for company in made.companies if company.matches(shaken)]
    assert len(concerned) == 38
    assert not any(company.matches(dict.fromkeys(AREAS, "3")) for company in made.companies)
    assert all(company.matches(shaken) for company in make(companies=40, bystanders=0.0).companies)


def test_intensities_are_in_their_order() -> None:
    company = next(one for one in make().companies if one.least == "5-" and not one.areas)
    assert [company.matches({"350": intensity}) for intensity in ("4", "5-", "5+", "6-", "7")] == [
        False, True, True, True, True
    ]  # fmt: skip


def test_a_rule_names_the_coasts_and_prefectures_of_its_areas() -> None:
    for company in make().companies:
        homes = {SEISMIC[area].prefecture for area in company.areas if area in SEISMIC}
        assert {code[:2] for code in company.prefectures} == homes
        assert set(company.coasts) == {coast for home in homes for coast in COASTS_OF.get(home, ())}
        assert company.coasts or not company.tsunami or not company.areas


def test_the_probes_have_their_own_people_at_every_carrier() -> None:
    made = make()
    assert made.probe_company.standing
    assert not made.probe_company.matches(dict.fromkeys(AREAS, "6+"))
    assert Counter(person.carrier for person in made.probe_people) == dict.fromkeys(CARRIERS, PROBE_PEOPLE)
    assert {person.number for person in made.probe_people}.isdisjoint(person.number for person in made.people)
    assert max(person.number for person in made.probe_people) < 2**31


def test_the_rows_are_those_that_enrolling_reads() -> None:
    made = make()
    rows = [json.loads(line) for line in made.jsonl().splitlines()]
    companies = [row for row in rows if "name" in row and "person" not in row]
    assert rows[: len(companies)] == companies
    assert set(companies[0]) == {
        "company", "name", "admin", "password", "areas", "least", "tsunami", "special", "coasts", "prefectures",
        "standing",
    }  # fmt: skip
    assert companies[-1]["company"] == PROBE_COMPANY
    assert set(rows[-1]) == {"person", "company", "name", "area", "carrier", "address"}
    assert len(rows) - len(companies) == len(made.people) + len(made.probe_people)


@pytest.mark.parametrize("changes", [{"companies": 0}, {"people": 3}, {"carriers": {}}, {"areas": ()}])
def test_impossible_populations_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"population|people"):
        make(**changes)
