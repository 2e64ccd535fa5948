"""Enrolment and read-back: the operator's programs."""

from __future__ import annotations

import json

import pytest

from tests.topology.service.conftest import customers, enrolled, exported, settings
from tests.topology.service.node import run
from tests.topology.service.postgres import Postgres


def test_what_was_enrolled_is_exported(empty: Postgres) -> None:
    tokens = enrolled(empty, [*customers(1, 3), *customers(2, 2, standing=False)])

    assert sorted(tokens) == [1000, 1001, 1002]
    companies = [(row["company"], row["name"], row["people"]) for row in exported(empty, "companies")]
    assert companies == [(1, "Company 1", 3), (2, "Company 2", 2)]
    (standing,) = exported(empty, "broadcasts")
    assert (standing["company"], standing["people"], standing["standing"]) == (1, 3, True)
    for nothing_yet in ("answers", "events", "outbox", "telegrams"):
        assert exported(empty, nothing_yet) == []


def test_the_programs_read_and_print_one_object_a_line(empty: Postgres) -> None:
    lines = "".join(json.dumps(line) + "\n" for line in customers(1, 2))
    done = run("enrol", settings(empty), stdin=lines)
    assert (done.returncode, done.stderr.splitlines()[-1]) == (0, "1 companies, 2 people")
    tokens = [json.loads(line) for line in done.stdout.splitlines()]
    assert [token["person"] for token in tokens] == [1000, 1001]
    assert all(len(token["token"]) == 32 for token in tokens)

    done = run("export", settings(empty), "companies")

    assert done.returncode == 0
    assert [json.loads(line)["people"] for line in done.stdout.splitlines()] == [2]


def test_enrolling_again_keeps_the_tokens_and_adds_who_is_new(empty: Postgres) -> None:
    before = enrolled(empty, customers(1, 2))
    after = enrolled(empty, customers(1, 3))

    assert {person: after[person] for person in before} == before
    assert sorted(after) == [1000, 1001, 1002]


def test_addresses_are_in_plain_text_nowhere_in_the_database(empty: Postgres) -> None:
    enrolled(empty, customers(1, 3))
    empty.query("CHECKPOINT")
    files = [
        path for path in empty.data.rglob("*") if path.is_file() and path.name not in ("postmaster.pid",)
    ]

    assert len(files) > 100
    assert not [path for path in files if b"p1000@docomo.example" in path.read_bytes()]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{", "line 2"),
        ("[]", "not an object"),
        ('{"person": 1, "company": 1, "name": "x"}', "'address' is missing"),
        ('{"person": 0, "company": 1, "name": "x", "address": "a@b.example"}', "0 is not a number"),
        ('{"person": 1, "company": 1, "name": 5, "address": "a@b.example"}', "5 is not text"),
        (
            '{"person": 1, "company": 1, "name": "x", "address": "a@b.example\\nBcc: c@d.example"}',
            "the address is not",
        ),
        ('{"company": 2, "name": "x", "password": "y", "least": "8"}', "least '8'"),
        ('{"person": 1, "company": 77, "name": "x", "address": "a@b.example"}', "violates foreign key"),
    ],
)
def test_a_bad_line_enrols_nobody_and_is_named(empty: Postgres, line: str, problem: str) -> None:
    done = run("enrol", settings(empty), stdin=json.dumps(customers(1, 0)[0]) + "\n" + line + "\n")

    assert done.returncode == 2
    assert problem in done.stderr
    assert "Traceback" not in done.stderr
    assert "c@d.example" not in done.stderr
    assert exported(empty, "companies") == []


def test_a_person_cannot_be_moved_to_another_company(empty: Postgres) -> None:
    enrolled(empty, customers(1, 1))
    stolen = [customers(2, 0)[0], {**customers(1, 1)[1], "company": 2}]

    done = run("enrol", settings(empty), stdin="".join(json.dumps(line) + "\n" for line in stolen))

    assert (done.returncode, "another company" in done.stderr) == (2, True)


def test_without_a_database_the_programs_say_so(mortal: Postgres) -> None:
    mortal.kill()

    done = run("export", settings(mortal), "answers", "--within", "0.5")

    assert (done.returncode, done.stdout) == (4, "")
    assert "no database takes writes" in done.stderr
    assert "Traceback" not in done.stderr
