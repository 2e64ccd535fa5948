from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import canaries
from harness.load.population import generate

MARK = canaries.mark(1)
POPULATION = generate(
    seed=1, companies=12, people=200, carriers={"docomo": 0.6, "au": 0.4}, areas=["350", "360"]
)


def test_one_company_is_marked_in_all_that_it_has_and_no_other() -> None:
    planted = canaries.planted(POPULATION, MARK)
    marked = canaries.marked(POPULATION)
    assert canaries.marked(planted).number == marked.number
    name, address = canaries.name_mark(MARK), canaries.address_mark(MARK)
    for company in planted.companies:
        assert (name in company.name) is (company.number == marked.number)
    for person in planted.people:
        assert (name in person.name, address in person.address) == (
            (person.company == marked.number),
            (person.company == marked.number),
        )
    assert len({person.address for person in planted.people}) == len(planted.people)
    assert [person.number for person in planted.people] == [person.number for person in POPULATION.people]


def test_who_asks_is_another_company_with_another_password() -> None:
    planted = canaries.planted(POPULATION, MARK)
    observer, marked = canaries.observer(planted), canaries.marked(planted)
    assert observer.number != marked.number
    assert observer.password != marked.password


def test_a_company_alone_has_nobody_to_be_kept_from() -> None:
    alone = generate(seed=1, companies=1, people=3, carriers={"au": 1.0}, areas=["350"])
    with pytest.raises(ValueError, match="isolation needs two companies"):
        canaries.observer(alone)


@given(st.binary(max_size=7), st.binary(max_size=7))
def test_every_form_is_found_whatever_stands_around_it(before: bytes, after: bytes) -> None:
    forms = canaries.forms(MARK)
    text = canaries.address_mark(MARK)
    packed = base64.b64encode(before + text.encode() + after)
    assert forms[f"base64 at {len(before) % 3}"] in packed
    assert forms["plain"] in before + text.encode() + after
    assert forms["utf-16le"] in (text + ".1@au.example").encode("utf-16")
    assert forms["hexadecimal"] in (before + text.encode() + after).hex().encode()


def test_marks_of_different_runs_differ() -> None:
    assert len({canaries.mark(seed) for seed in range(100)}) == 100
