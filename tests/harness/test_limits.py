"""What is more than can be played is more for a reason that still holds."""

from __future__ import annotations

from harness import limits
from harness.checks.telegrams import hold_ns
from harness.load.population import PROBE_COMPANY, Population, generate


def population(companies: int) -> Population:
    return generate(seed=1, companies=companies, people=companies, carriers={"au": 1.0}, areas=["350"])


def test_no_company_of_the_drill_has_a_number_of_the_harness() -> None:
    last = population(3).companies[-1].number
    assert last == 3
    assert limits.COMPANIES.most < PROBE_COMPANY


def test_no_person_of_the_drill_has_a_number_of_the_harness() -> None:
    made = population(3)
    assert [person.number for person in made.people] == [1, 2, 3]
    assert limits.PEOPLE.most < min(person.number for person in made.probe_people)


def test_at_the_fastest_clock_the_hold_is_the_time_between_two_probes() -> None:
    assert hold_ns(limits.CLOCK.most) == 100_000_000
